// A text that consists of segments, such as documents or sessions. Boundaries are ascending, from 0 to the length of
// the text; segment s is [boundaries[s], boundaries[s+1]).

import { SparseDataError, show } from '../errors.ts';

export function wholeText(tokens: Int32Array): Int32Array {
  return Int32Array.of(0, tokens.length);
}

/** @throws SparseDataError `shape`. */
export function checkSegments(where: string, segments: Int32Array, length: number): void {
  const bad = (message: string): SparseDataError => new SparseDataError('shape', `${where}: segments ${message}`);
  if (segments.length < 2)
    throw bad(`has ${segments.length} boundaries; the start of the first and the end of the last segment are needed`);
  if (segments[0] !== 0) throw bad(`starts at ${show(segments[0])}; the first segment starts at 0`);
  for (let at = 1; at < segments.length; at++) {
    if (segments[at]! < segments[at - 1]!)
      throw bad(`falls from ${segments[at - 1]!} to ${segments[at]!} at ${at}; boundaries must not decrease`);
  }
  const end = segments[segments.length - 1]!;
  if (end !== length) throw bad(`ends at ${end}, but there are ${length} tokens; the last segment ends with the text`);
}

/** The segment that contains a position, by bisection: the last segment that begins at or before it. */
export function segmentAt(segments: Int32Array, position: number): number {
  let low = 0;
  let high = segments.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (segments[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @throws SparseDataError `index-out-of-range` for a token that is not a class. */
export function checkTokenRange(where: string, tokens: Int32Array, classes: number): void {
  for (let position = 0; position < tokens.length; position++) {
    const token = tokens[position]!;
    if (token < 0 || token >= classes) {
      throw new SparseDataError(
        'index-out-of-range',
        `${where}: the token at position ${position} is ${show(token)}, but there are ${classes} classes; encode the text with the vocabulary of these classes`,
      );
    }
  }
}
