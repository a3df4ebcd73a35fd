// checkpoint.json: the one file that says which files are the checkpoint. Replacing it is what commits a checkpoint.
//
//   { "format": "vastmax-checkpoint", "version": 1, "checksum": …, "counter": 12,
//     "weights": { "file": "weights-12-5e1f00aa.safetensors", "bytes": …, "sha256": … },
//     "texts": [{ "name": "vocabulary.json", "file": "vocabulary-0123456789abcdef.json", "bytes": …, "sha256": … }],
//     "configuration": { … }, "modules": [{ "name": "output", "configuration": { … } }] }
//
// Names are values, not keys, so none of them can be `__proto__` or change places. `checksum` is the SHA-256 of the file's own bytes
// with zeros in its place: a flipped digit in a configuration is found as surely as one in the weights.

import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { JsonObject } from '@vastmax/output-layer';
import { CheckpointError } from './checkpoint-error.ts';
import { encodeJson } from './json-text.ts';

export const MANIFEST_NAME = 'checkpoint.json';
const FORMAT_NAME = 'vastmax-checkpoint';
const FORMAT_VERSION = 1;

export interface FileRecord {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface TextRecord extends FileRecord {
  readonly name: string;
}

interface ModuleRecord {
  readonly name: string;
  readonly configuration: JsonObject;
}

export interface Manifest {
  /** Checkpoints written into this directory so far. */
  readonly counter: number;
  readonly weights: FileRecord;
  readonly texts: readonly TextRecord[];
  readonly configuration: JsonObject;
  readonly modules: readonly ModuleRecord[];
}

/** Far above any sensible one; a larger file is refused before it is read. */
export const MAXIMUM_MANIFEST_BYTES: number = 2 ** 28;

const noChecksum = '0'.repeat(64);

/** @throws CheckpointError `non-finite`, `bad-json` for a configuration that JSON cannot hold, `bad-argument` when they are too large */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { counter, weights, texts, configuration, modules } = manifest;
  const fields = [
    `"format": ${JSON.stringify(FORMAT_NAME)}`,
    `"version": ${FORMAT_VERSION}`,
    `"checksum": "${noChecksum}"`,
    `"counter": ${counter}`,
    `"weights": ${JSON.stringify(weights)}`,
    `"texts": ${JSON.stringify(texts)}`,
    `"configuration": ${encodeJson(configuration, 'writeCheckpoint: configuration', '\n  ')}`,
    `"modules": [${modules.map(encodeModule).join(', ')}]`,
  ];
  const text = `{\n  ${fields.join(',\n  ')}\n}\n`;
  const bytes = Buffer.from(text.replace(noChecksum, sha256(text)));
  if (bytes.length > MAXIMUM_MANIFEST_BYTES) {
    throw new CheckpointError('bad-argument', `writeCheckpoint: the configurations have ${bytes.length} bytes together; at most ${MAXIMUM_MANIFEST_BYTES} are allowed: store large ones as texts`);
  }
  return bytes;
}

function encodeModule({ name, configuration }: ModuleRecord): string {
  return `{\n    "name": ${JSON.stringify(name)},\n    "configuration": ${encodeJson(configuration, `writeCheckpoint: module ${name}: configuration`, '\n    ')}\n  }`;
}

/**
 * @param path for the messages
 * @throws CheckpointError `bad-json`, `unsupported-version`, `corrupted`
 */
export function parseManifest(bytes: Buffer, path: string): Manifest {
  const fail = (problem: string, cause?: unknown): never => {
    throw new CheckpointError('bad-json', `checkpoint: ${path} (${bytes.length} bytes) ${problem}`, { cause });
  };
  if (!isUtf8(bytes)) return fail('is not UTF-8; it is damaged');
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail('is not JSON; it is damaged or cut off', error);
  }
  if (!isObject(value)) return fail('is not a JSON object');
  const { format, version, checksum, counter, weights, texts, configuration, modules } = value;
  if (format !== FORMAT_NAME || version !== FORMAT_VERSION) {
    const found = `${typeof format === 'string' ? JSON.stringify(format.slice(0, 80)) : 'none'}, version ${typeof version === 'number' ? version : 'none'}`;
    throw new CheckpointError(
      'unsupported-version',
      `checkpoint: ${path} has the format ${found}; this package reads and replaces "${FORMAT_NAME}", version ${FORMAT_VERSION}: use a version that fits, or another directory`,
    );
  }
  if (!isChecksum(checksum)) return fail('has no checksum of 64 hexadecimal digits');
  const found = sha256(text.replace(checksum, noChecksum));
  if (found !== checksum) throw new CheckpointError('corrupted', `checkpoint: ${path} is corrupted: its SHA-256 is ${found}, it says ${checksum}`);

  if (!isCount(counter)) return fail('has no counter');
  if (!isFileRecord(weights)) return fail('has no weights with a plain file name, bytes and sha256');
  if (!isArrayOf(texts, isTextRecord)) return fail('has no texts with names, plain file names, bytes and sha256');
  if (!isObject(configuration)) return fail('has no configuration');
  if (!isArrayOf(modules, isModuleRecord)) return fail('has no modules with names and configurations');
  for (const records of [texts, modules]) if (new Set(records.map(({ name }) => name)).size < records.length) return fail('names a text or module twice');
  return { counter, weights, texts, configuration: configuration as JsonObject, modules };
}

/** A name that stays in its directory and is the same on every system. Not hidden. */
export function isPlainFileName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(value) && !value.includes('..');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isArrayOf<T>(value: unknown, is: (each: unknown) => each is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is);
}

function isChecksum(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFileRecord(value: unknown): value is FileRecord {
  return isObject(value) && isPlainFileName(value.file) && isCount(value.bytes) && isChecksum(value.sha256);
}

function isTextRecord(value: unknown): value is TextRecord {
  return isFileRecord(value) && 'name' in value && isPlainFileName(value.name);
}

function isModuleRecord(value: unknown): value is ModuleRecord {
  return isObject(value) && typeof value.name === 'string' && isObject(value.configuration);
}
