/**
 * Integers for kernels to read. They are uploaded once with a submission, however many of its kernels read them. The
 * numbers must not change afterwards, so they are copied from arrays that callers may overwrite.
 */
export interface UploadedList {
  readonly values: Int32Array;
  /** Its offset in the upload area, in integers, and the submission it was uploaded with; used by the recorder only. */
  place: number;
  submission: number;
}

export function createUploadedList(values: Int32Array): UploadedList {
  return { values, place: 0, submission: -1 };
}
