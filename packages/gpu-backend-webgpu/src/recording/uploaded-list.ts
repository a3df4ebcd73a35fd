/**
 * Integers for kernels to read. They are uploaded with the submission that uses them and lie in it once, however many
 * of its kernels do; the numbers must not change afterwards, so they are copied from what callers may rewrite.
 */
export interface UploadedList {
  readonly values: Int32Array;
  /** Where it was put, in integers, in which submission; for the recorder alone. */
  place: number;
  submission: number;
}

export function createUploadedList(values: Int32Array): UploadedList {
  return { values, place: 0, submission: -1 };
}
