/** The progress of reading labelled data. */
import { count, Progress } from '../terminal/terminal.ts';

/** Tells a progress bar how many bytes of a file were read; a reader calls `onProgress`. */
export interface ReadingProgress extends Disposable {
  readonly onProgress: (read: number, total: number) => void;
  done: number;
}

/** @param what is counted: points or texts. */
export function createReadingProgress(what: string): ReadingProgress {
  const progress = new Progress(`reading ${what}`);
  const reading: ReadingProgress = {
    done: 0,
    onProgress: (read, total) => {
      progress.update(read / total, reading.done === 0 ? [] : [`${count(reading.done)} ${what}`]);
    },
    [Symbol.dispose]: () => {
      progress[Symbol.dispose]();
    },
  };
  return reading;
}
