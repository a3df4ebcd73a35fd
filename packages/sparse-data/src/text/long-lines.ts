// A corpus may be one line of any length, as text8 is. Such a line is read, counted and encoded in parts, so that
// memory does not grow with it. A part ends before white space, which no word contains and which every tokenizer of
// words separates; so the words are those of the whole line. In text without white space a part ends after a full stop
// of Chinese and Japanese.

/** Lines that are longer than this, in characters or bytes, are taken in parts of about this length. */
export const PART_LENGTH: number = 2 ** 20;

/** A part of a line that is too long to be held as a whole; the next item of the stream goes on with the line. */
export interface LinePart {
  readonly part: string;
}

const SPACES = [' ', '\t', '\u3000'];
const FULL_STOPS = ['。', '！', '？'];

interface Searched {
  readonly length: number;
  lastIndexOf(value: string, from?: number): number;
}

/**
 * Where the first part of a text ends, in (0, limit], or 0 where it cannot be divided.
 * @param text a string, or a Buffer of UTF-8.
 * @param stopLength of a full stop, in units of the text: 1 of a string, 3 of UTF-8.
 */
export function findPartEnd(text: Searched, limit: number, stopLength: 1 | 3): number {
  const last = (marks: readonly string[], from: number): number =>
    Math.max(...marks.map((mark) => text.lastIndexOf(mark, from)));
  const space = last(SPACES, limit);
  if (space > 0) return space;
  const stop = last(FULL_STOPS, limit - stopLength);
  return stop < 0 ? 0 : stop + stopLength;
}

/** The parts of a line, which are about PART_LENGTH characters long where it can be divided; a shorter line itself. */
export function* partsOfLine(line: string): Generator<string, void, undefined> {
  let start = 0;
  let limit = PART_LENGTH;
  while (line.length - start > limit) {
    const end = findPartEnd(line.slice(start, start + limit), limit, 1);
    if (end === 0) {
      limit *= 2;
      continue;
    }
    yield line.slice(start, start + end);
    start += end;
    limit = PART_LENGTH;
  }
  yield start === 0 ? line : line.slice(start);
}
