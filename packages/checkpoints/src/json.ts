// JSON that is safe to read and exact to write.
//
// Reading: what of a text can be refused before it is parsed. JSON.parse keeps the last of two equal keys without a
// word, makes infinity of 1e999, and takes forty bytes for each `[]` of two: a file of some megabytes could fill the
// memory. So the text is scanned first, with a stack no deeper than the limit. What is not JSON at all is left for
// JSON.parse to say; Node 20 gives a reviver no positions, so checking while it parses was no choice.
//
// Writing: text that reads back bit for bit, or an error. JSON.stringify alone writes NaN as null and -0 as 0 and drops
// what it cannot write; a resumed run would then differ from the one that was saved, silently.

import type { JsonObject } from '@vastmax/linalg-core/state';
import { CheckpointError, shown } from './errors.ts';

/** Of a header or a manifest. Far above any sensible one; a larger one is refused before it is read. */
export const MAXIMUM_JSON_BYTES: number = 2 ** 24;
/** Of values that are written. */
const MAXIMUM_ENCODED_DEPTH = 100;
/** Numbers, strings, literals, arrays and objects together: at most some 30 MB once parsed. */
const DEFAULT_VALUES = 2 ** 18;

const NUMBER_OR_LITERAL = /[\w.+-]+/y;

/** What JSON of a stranger may hold at most. */
export interface JsonLimits {
  /** How many arrays and objects may be open at a time. */
  readonly depth: number;
  /** How many elements an array may have; any number unless given. */
  readonly arrayLength?: number;
  /** How many values there may be in all; 2^18 unless given. */
  readonly values?: number;
}

interface Container {
  readonly isObject: boolean;
  /** Of an object, from its first key on: most of many thousand objects may be empty. */
  keys?: Set<string>;
  commas: number;
}

/** Throws an error about a text; `problem` is a sentence without its subject. */
export type Fail = (problem: string, cause?: unknown) => never;

/**
 * The value of a JSON text within limits. O(characters).
 * @param fail is called with what is wrong, else.
 */
export function parseJson(text: string, limits: JsonLimits, fail: Fail): unknown {
  const problem = findJsonProblem(text, limits);
  if (problem !== undefined) return fail(problem);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return fail('is not JSON; it is damaged or cut off', error);
  }
}

/** The text of bytes; undefined when they are not UTF-8. @throws Error when it is longer than a string can be */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * What is wrong with `text`, for a sentence that begins with the file; undefined when it may be parsed. O(characters).
 */
export function findJsonProblem(
  text: string,
  { depth, arrayLength = Infinity, values: maximumValues = DEFAULT_VALUES }: JsonLimits,
): string | undefined {
  const open: Container[] = [];
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '{' || character === '[') {
      values++;
      open.push({ isObject: character === '{', commas: 0 });
      if (open.length > depth) return `is nested deeper than ${depth} at character ${at}`;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      const inner = open.at(-1);
      if (inner?.isObject === false && ++inner.commas >= arrayLength)
        return `has an array of more than ${arrayLength} elements at character ${at}`;
    } else if (character === '"') {
      const start = at;
      at = endOfString(text, start);
      const key = isKey(text, at) ? decode(text.slice(start, at + 1)) : undefined;
      if (key === undefined) {
        values++;
        continue;
      }
      if (key === '__proto__') return 'has the key "__proto__"';
      const inner = open.at(-1);
      if (inner?.isObject !== true) continue;
      inner.keys ??= new Set();
      if (inner.keys.has(key)) return `has ${shown(key)} twice in one object`;
      inner.keys.add(key);
    } else if (!isSpace(character) && character !== ':') {
      const start = at;
      NUMBER_OR_LITERAL.lastIndex = at;
      const word = NUMBER_OR_LITERAL.exec(text)?.[0] ?? character;
      at += word.length - 1;
      values++;
      // Three digits of exponent, or that many digits, are the least that can be too large.
      if (word.length > 4 && Math.abs(Number(word)) === Infinity)
        return `has the number ${shown(word)} at character ${start}, which is beyond the largest of 64 bits`;
    }
    if (values > maximumValues) return `has more than ${maximumValues} values`;
  }
  return undefined;
}

/** Where its closing quote is, or the length of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function isKey(text: string, endOfString: number): boolean {
  let after = endOfString + 1;
  while (isSpace(text.charAt(after))) after++;
  return text[after] === ':';
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

/** Undefined for what JSON.parse will refuse. */
function decode(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

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
  if (depth >= MAXIMUM_ENCODED_DEPTH)
    throw new CheckpointError(
      'bad-json',
      `${path.slice(0, 200)}... is nested deeper than ${MAXIMUM_ENCODED_DEPTH}; is it a cycle?`,
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
