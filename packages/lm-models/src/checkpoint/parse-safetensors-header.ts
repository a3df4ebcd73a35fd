// The JSON header of a safetensors file, taken as hostile: every number is checked before it is used, and the ranges have to tile the
// data exactly, so that no two tensors share bytes and no bytes hide between them. JSON.parse keeps the last of two equal keys
// without a word, and Node 20 gives a reviver no position, so keys are scanned for twins in the text (which is valid JSON by then).

import type { TensorPrecision } from '@vastmax/output-layer';
import { CheckpointError } from './checkpoint-error.ts';
import { elementTypes } from './safetensors-layout.ts';

export interface TensorRange {
  readonly name: string;
  readonly precision: TensorPrecision;
  readonly rows: number;
  readonly columns: number;
  /** Byte offset in the data, which begins after the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the header. */
  readonly tensors: readonly TensorRange[];
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * @param path for the messages
 * @param dataBytes how many bytes follow the header in the file
 * @throws CheckpointError `invalid-header`; `truncated` when the header is sound and asks for more bytes than there are
 */
export function parseSafetensorsHeader(text: string, path: string, dataBytes: number): SafetensorsHeader {
  const fail = (problem: string): never => {
    throw new CheckpointError('invalid-header', `safetensors: ${path}: ${problem}`);
  };
  if (!text.startsWith('{')) return fail(`the header begins with ${shown(text.slice(0, 1))} instead of "{"; is it a safetensors file?`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError('invalid-header', `safetensors: ${path}: the header is not JSON`, { cause: error });
  }
  const problem = findKeyProblem(text);
  if (problem !== undefined) return fail(problem);

  const { __metadata__: metadata = {}, ...entries } = parsed as { __metadata__?: unknown };
  const tensors = Object.entries(entries).map(([name, entry]) => readEntry(name, entry, fail));
  checkTiling(tensors, dataBytes, path);
  return { tensors, metadata: readMetadata(metadata, fail) };
}

type Fail = (problem: string) => never;

function readMetadata(value: unknown, fail: Fail): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('__metadata__ is not an object of strings');
  return new Map(
    Object.entries(value).map(([key, text]: [string, unknown]) => [key, typeof text === 'string' ? text : fail(`__metadata__ ${shown(key)} is not a string`)]),
  );
}

function readEntry(name: string, entry: unknown, fail: Fail): TensorRange {
  const label = `tensor ${shown(name)}`;
  if (typeof entry !== 'object' || entry === null || Object.keys(entry).sort().join() !== 'data_offsets,dtype,shape') {
    return fail(`${label} is not an object of dtype, shape and data_offsets`);
  }
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  const precision = (Object.keys(elementTypes) as TensorPrecision[]).find((each) => elementTypes[each].dtype === dtype);
  if (precision === undefined) return fail(`${label} has the dtype ${shown(dtype)}; F32, F64 and I32 are supported`);
  const [rows, columns] = readPair(shape) ?? fail(`${label} has the shape ${shown(shape)}; [rows, columns], whole numbers from 0, is needed`);
  const [begin, end] = readPair(offsets) ?? fail(`${label} has the data_offsets ${shown(offsets)}; [begin, end], whole numbers from 0, is needed`);
  const bytes = rows * columns * elementTypes[precision].bytes;
  // A product past 2^53 is rounded, but never to something smaller.
  if (!Number.isSafeInteger(bytes)) return fail(`${label} of ${rows}x${columns} has more than 2^53 bytes`);
  if (end - begin !== bytes) return fail(`${label} of ${rows}x${columns} ${String(dtype)} needs ${bytes} bytes; its data_offsets [${begin}, ${end}] span ${end - begin}`);
  return { name, precision, rows, columns, begin, end };
}

function readPair(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [first, second] = value as readonly unknown[];
  const isCount = (each: unknown): each is number => Number.isSafeInteger(each) && (each as number) >= 0;
  return isCount(first) && isCount(second) ? [first, second] : undefined;
}

function checkTiling(tensors: readonly TensorRange[], dataBytes: number, path: string): void {
  let expected = 0;
  for (const { name, begin, end } of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      const what = begin > expected ? `there is a gap of ${begin - expected} bytes before` : `other tensors overlap`;
      throw new CheckpointError('invalid-header', `safetensors: ${path}: ${what} tensor ${shown(name)}: it begins at ${begin}, those before it end at ${expected}`);
    }
    expected = end;
  }
  if (expected > dataBytes) {
    throw new CheckpointError('truncated', `safetensors: ${path} is truncated: its tensors need ${expected} bytes after the header, the file has ${dataBytes}`);
  }
  if (expected < dataBytes) {
    throw new CheckpointError('invalid-header', `safetensors: ${path}: ${dataBytes - expected} bytes follow the last tensor: the tensors need ${expected}, the file has ${dataBytes}`);
  }
}

/** A key that an object has twice, one that would set a prototype, or objects deeper than a header has them. `json` is valid JSON. */
function findKeyProblem(json: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') {
      objects.push(new Set());
      if (objects.length > 2) return 'the header has objects deeper than a tensor of a header';
    } else if (character === '}') {
      objects.pop();
    } else if (character === '"') {
      const start = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === '\\') at++;
      let after = at + 1;
      while (after < json.length && ' \t\r\n'.includes(json.charAt(after))) after++;
      if (json[after] !== ':') continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string;
      if (key === '__proto__') return 'a name in the header is "__proto__"';
      if (objects.at(-1)?.has(key) === true) return `${shown(key)} is there twice`;
      objects.at(-1)?.add(key);
    }
  }
  return undefined;
}

/** A value of the header for a message: short, and never nested, whatever it is. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (Array.isArray(value)) {
    const first = value.slice(0, 6).map((each: unknown) => (typeof each === 'object' && each !== null ? '...' : shown(each)));
    return `[${first.join(', ')}${value.length > 6 ? ', ...' : ''}]`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
