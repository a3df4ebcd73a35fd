// What of a JSON text can be refused before it is parsed. JSON.parse keeps the last of two equal keys without a word,
// makes infinity of 1e999, and takes forty bytes for each `[]` of two: a file of some megabytes could fill the memory.
// So the text is scanned first, with a stack no deeper than the limit. What is not JSON at all is left for JSON.parse
// to say; Node 20 gives a reviver no positions, so checking while it parses was no choice.

import { shown } from './shown-value.ts';

/** Of a header or a manifest. Far above any sensible one; a larger one is refused before it is read. */
export const MAXIMUM_JSON_BYTES: number = 2 ** 24;
/** Numbers, strings, literals, arrays and objects together: at most some hundred megabytes once parsed. */
const DEFAULT_VALUES = 2 ** 20;

const NUMBER_OR_LITERAL = /[\w.+-]+/y;

export interface JsonLimits {
  /** How many arrays and objects may be open at a time. */
  readonly depth: number;
  /** How many elements an array may have; any number unless given. */
  readonly arrayLength?: number;
  /** How many values there may be in all; 2^20 unless given. */
  readonly values?: number;
}

interface Container {
  /** Of an object. */
  readonly keys: Set<string> | undefined;
  commas: number;
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
      open.push({ keys: character === '{' ? new Set() : undefined, commas: 0 });
      if (open.length > depth) return `is nested deeper than ${depth} at character ${at}`;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      const inner = open.at(-1);
      if (inner?.keys === undefined && inner !== undefined && ++inner.commas >= arrayLength)
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
      const { keys } = open.at(-1) ?? {};
      if (keys?.has(key) === true) return `has ${shown(key)} twice in one object`;
      keys?.add(key);
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
