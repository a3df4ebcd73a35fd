// JSON that reads back bit for bit, or an error. JSON.stringify alone writes NaN as null and -0 as 0 and drops what it
// cannot write; a resumed run would then differ from the one that was saved, silently.

import type { JsonObject } from '@vastmax/linalg-core/state';
import { CheckpointError } from './checkpoint-error.ts';

const MAXIMUM_DEPTH = 100;

/**
 * `value` as indented text.
 * @param label what the value is, for the messages
 * @param lineStart a line break and the indentation of the value
 * @throws CheckpointError `non-finite` (with the path to the number), `bad-json` for undefined, functions, class
 * instances … and cycles
 */
export function encodeJson(value: JsonObject, label: string, lineStart = '\n'): string {
  return encode(value, label, lineStart, 0);
}

function encode(value: unknown, path: string, lineStart: string, depth: number): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new CheckpointError(
        'non-finite',
        `${path} is ${value}; only finite values are saved, and what was saved before is untouched`,
      );
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (depth >= MAXIMUM_DEPTH)
    throw new CheckpointError(
      'bad-json',
      `${path.slice(0, 200)}... is nested deeper than ${MAXIMUM_DEPTH}; is it a cycle?`,
    );
  const inner = `${lineStart}  `;
  if (Array.isArray(value)) {
    return `[${Array.from(value, (each: unknown, at) => encode(each, `${path}[${at}]`, lineStart, depth + 1)).join(', ')}]`;
  }
  if (!isPlainObject(value))
    throw new CheckpointError(
      'bad-json',
      `${path} is ${describe(value)}, which JSON cannot hold; convert it to numbers, strings, arrays or plain objects`,
    );
  const members = Object.entries(value).map(
    ([key, each]) => `${inner}${JSON.stringify(key)}: ${encode(each, `${path}.${key}`, inner, depth + 1)}`,
  );
  return members.length === 0 ? '{}' : `{${members.join(',')}${lineStart}}`;
}

/** As made by a literal, JSON.parse or Object.create(null), in any realm. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function describe(value: unknown): string {
  return typeof value === 'object'
    ? `a ${value?.constructor.name ?? 'object'}`
    : value === undefined
      ? 'undefined'
      : `a ${typeof value}`;
}
