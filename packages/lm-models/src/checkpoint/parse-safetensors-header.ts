// The JSON header of a safetensors file, taken as hostile: it is scanned before it is parsed (json-limits.ts), every
// number is checked before it is used, and the ranges have to tile the data exactly, so that no two tensors share bytes
// and no bytes hide between them.

import type { TensorPrecision } from '@vastmax/linalg-core/state';
import { CheckpointError } from './checkpoint-error.ts';
import { findJsonProblem } from './json-limits.ts';
import { storedTypes } from './safetensors-layout.ts';
import type { StoredType } from './safetensors-layout.ts';
import { shown } from './shown-value.ts';

export interface TensorRange {
  readonly name: string;
  readonly storedAs: StoredType;
  /** What it is read as. */
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
  if (!text.startsWith('{'))
    return fail(`the header begins with ${shown(text.slice(0, 1))} instead of "{"; is it a safetensors file?`);
  // A header has an object of objects of arrays, and a matrix has two sizes.
  const problem = findJsonProblem(text, { depth: 3, arrayLength: 8 });
  if (problem !== undefined) return fail(`the header ${problem}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError('invalid-header', `safetensors: ${path}: the header is not JSON`, { cause: error });
  }
  const { __metadata__: metadata = {}, ...entries } = parsed as { __metadata__?: unknown };
  const tensors = Object.entries(entries).map(([name, entry]) => readEntry(name, entry, fail));
  checkTiling(tensors, dataBytes, path);
  return { tensors, metadata: readMetadata(metadata, fail) };
}

type Fail = (problem: string) => never;

function readMetadata(value: unknown, fail: Fail): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('__metadata__ is not an object of strings');
  return new Map(
    Object.entries(value).map(([key, text]: [string, unknown]) => [
      key,
      typeof text === 'string' ? text : fail(`__metadata__ ${shown(key)} is not a string`),
    ]),
  );
}

function readEntry(name: string, entry: unknown, fail: Fail): TensorRange {
  const label = `tensor ${shown(name)}`;
  if (typeof entry !== 'object' || entry === null || Object.keys(entry).sort().join() !== 'data_offsets,dtype,shape') {
    return fail(`${label} is not an object of dtype, shape and data_offsets`);
  }
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  const storedAs = (Object.keys(storedTypes) as StoredType[]).find((each) => each === dtype);
  if (storedAs === undefined)
    return fail(`${label} has the dtype ${shown(dtype)}; ${Object.keys(storedTypes).join(', ')} are supported`);
  const [rows, columns] =
    readPair(shape) ?? fail(`${label} has the shape ${shown(shape)}; [rows, columns], whole numbers from 0, is needed`);
  const [begin, end] =
    readPair(offsets) ??
    fail(`${label} has the data_offsets ${shown(offsets)}; [begin, end], whole numbers from 0, is needed`);
  const bytes = rows * columns * storedTypes[storedAs].bytes;
  // A product past 2^53 is rounded, but never to something smaller.
  if (!Number.isSafeInteger(bytes)) return fail(`${label} of ${rows}x${columns} has more than 2^53 bytes`);
  if (end - begin !== bytes)
    return fail(
      `${label} of ${rows}x${columns} ${storedAs} needs ${bytes} bytes; its data_offsets [${begin}, ${end}] span ${end - begin}`,
    );
  return { name, storedAs, precision: storedTypes[storedAs].precision, rows, columns, begin, end };
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
      throw new CheckpointError(
        'invalid-header',
        `safetensors: ${path}: ${what} tensor ${shown(name)}: it begins at ${begin}, those before it end at ${expected}`,
      );
    }
    expected = end;
  }
  if (expected > dataBytes) {
    throw new CheckpointError(
      'truncated',
      `safetensors: ${path} is truncated: its tensors need ${expected} bytes after the header, the file has ${dataBytes}`,
    );
  }
  if (expected < dataBytes) {
    throw new CheckpointError(
      'invalid-header',
      `safetensors: ${path}: ${dataBytes - expected} bytes follow the last tensor: the tensors need ${expected}, the file has ${dataBytes}`,
    );
  }
}
