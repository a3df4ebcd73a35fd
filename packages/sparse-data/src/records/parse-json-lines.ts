import { type NamedInput, lineError } from './record-lines.ts';
import { show } from '../errors.ts';
import type { TextLines } from '../text/token-stream.ts';

/** A line, its number and its value. */
export interface JsonLine {
  /** Number of the line, from 1. */
  readonly line: number;
  /** The line as it is, without a byte order mark. */
  readonly text: string;
  /** The result of JSON.parse; the caller must check its type. */
  readonly value: unknown;
}

const BLANK = /^\s*$/;

/**
 * JSON Lines: one JSON value of any kind per line; blank lines are skipped, and so is a byte order mark at the start of
 * a line, where files were joined. Cost: O(characters); memory: one line.
 * @throws SparseDataError on iteration: `bad-json` with name, line and its text; errors of `lines`.
 */
export async function* parseJsonLines(
  lines: TextLines,
  options: NamedInput = {},
): AsyncGenerator<JsonLine, void, undefined> {
  const { name = 'input' } = options;
  let line = 0;
  for await (const whole of lines) {
    line++;
    const text = whole.startsWith('\ufeff') ? whole.slice(1) : whole;
    if (BLANK.test(text)) continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw lineError(
        'bad-json',
        'parseJsonLines',
        name,
        line,
        `${show(text)} is not JSON (${reason}); each line must be one whole JSON value`,
        error,
      );
    }
    yield { line, text, value };
  }
}
