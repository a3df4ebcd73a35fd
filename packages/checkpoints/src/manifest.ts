// checkpoint.json: the one file that says which files are the checkpoint. Replacing it is what commits a checkpoint.
//
//   { "format": "vastmax-checkpoint", "version": 2, "checksum": …, "counter": 12,
//     "shards": [{ "file": "weights-12-5e1f00aa.safetensors", "bytes": …, "sha256": … }], "index": null,
//     "texts": [{ "name": "vocabulary.json", "file": "vocabulary-0123456789abcdef.json", "bytes": …, "sha256": … }],
//     "configuration": { … }, "modules": [{ "name": "output", "configuration": { … } }] }
//
// Names are values, not keys, so none of them can be `__proto__` or change places. `checksum` is the SHA-256 of the
// file's own bytes with zeros in its place: a flipped digit in a configuration is found as surely as one in the
// weights. Version 1 had one file of weights, as "weights", and no index.

import type { JsonObject } from '@vastmax/linalg-core/state';
import { CheckpointError, isCheckpointError, shown } from './errors.ts';
import { decodeUtf8, encodeJson, findJsonProblem, MAXIMUM_JSON_BYTES, parseJson } from './json.ts';
import { BLOCK_BYTES, type CheckpointSource, type FileDigest, type Hash, type RandomAccessReader } from './storage.ts';

export const MANIFEST_NAME = 'checkpoint.json';
const FORMAT_NAME = 'vastmax-checkpoint';
const FORMAT_VERSION = 2;
/** Of a configuration 100 levels, as encodeJson writes them, in the manifest and its list of modules. */
const MAXIMUM_DEPTH = 103;

/** A file as the manifest lists it. */
export interface FileRecord extends FileDigest {
  readonly file: string;
}

export interface TextRecord extends FileRecord {
  readonly name: string;
}

/** A module as the manifest lists it; its tensors are in the weight files. */
export interface ModuleRecord {
  readonly name: string;
  readonly configuration: JsonObject;
}

export interface Manifest {
  /** Checkpoints written into this directory so far. */
  readonly counter: number;
  /** Of the weights, at least one. */
  readonly shards: readonly FileRecord[];
  /** For other programs: which tensor is in which shard. Absent with one shard. */
  readonly index?: FileRecord | undefined;
  readonly texts: readonly TextRecord[];
  readonly configuration: JsonObject;
  readonly modules: readonly ModuleRecord[];
}

/** Of all the checkpoint's files but checkpoint.json, in the order of their checking. */
export function fileRecords({ shards, index, texts }: Manifest): readonly FileRecord[] {
  return [...shards, ...(index === undefined ? [] : [index]), ...texts];
}

const noChecksum = '0'.repeat(64);

/**
 * @throws CheckpointError `non-finite`, `bad-json` for a configuration that JSON cannot hold, `bad-argument` when they
 * are too large
 */
export function encodeManifest(manifest: Manifest, hash: Hash): Uint8Array {
  const { counter, shards, index, texts, configuration, modules } = manifest;
  const fields = [
    `"format": ${JSON.stringify(FORMAT_NAME)}`,
    `"version": ${FORMAT_VERSION}`,
    `"checksum": "${noChecksum}"`,
    `"counter": ${counter}`,
    `"shards": ${JSON.stringify(shards)}`,
    `"index": ${JSON.stringify(index ?? null)}`,
    `"texts": ${JSON.stringify(texts)}`,
    `"configuration": ${encodeJson(configuration, 'writeCheckpoint: configuration', '\n  ')}`,
    `"modules": [${modules.map(encodeModule).join(', ')}]`,
  ];
  const text = `{\n  ${fields.join(',\n  ')}\n}\n`;
  const bytes = new TextEncoder().encode(text.replace(noChecksum, hashText(text, hash)));
  const problem =
    bytes.length > MAXIMUM_JSON_BYTES
      ? `has ${bytes.length} bytes; at most ${MAXIMUM_JSON_BYTES} are allowed`
      : findJsonProblem(text, { depth: MAXIMUM_DEPTH });
  if (problem !== undefined) {
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: ${MANIFEST_NAME} with these configurations ${problem}: store large ones as texts`,
    );
  }
  return bytes;
}

function encodeModule({ name, configuration }: ModuleRecord): string {
  return `{\n    "name": ${JSON.stringify(name)},\n    "configuration": ${encodeJson(configuration, `writeCheckpoint: module ${name}: configuration`, '\n    ')}\n  }`;
}

/** checkpoint.json as it is stored. */
export interface StoredManifest {
  /** For messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * @throws CheckpointError `missing`, saying what was found instead; `read-failed`; `corrupted` when it is larger than
 * 16 MiB
 */
export async function readManifest(source: CheckpointSource): Promise<StoredManifest> {
  let reader: RandomAccessReader;
  try {
    reader = await source.open(MANIFEST_NAME);
  } catch (error) {
    throw isCheckpointError(error) && error.code === 'missing' ? await describeMissing(source, error) : error;
  }
  const { path } = reader;
  try {
    if (reader.bytes > MAXIMUM_JSON_BYTES)
      throw new CheckpointError(
        'corrupted',
        `checkpoint: ${path} has ${reader.bytes} bytes; at most ${MAXIMUM_JSON_BYTES} make sense`,
      );
    const bytes = new Uint8Array(reader.bytes);
    await reader.read(bytes, 0);
    return { path, bytes };
  } finally {
    await reader.close();
  }
}

async function describeMissing(source: CheckpointSource, cause: CheckpointError): Promise<CheckpointError> {
  const { location } = source;
  try {
    const names = [...(await source.list())].sort();
    const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
    const found = names.length === 0 ? 'it is empty' : `it holds ${names.slice(0, 5).join(', ')}${more}`;
    return new CheckpointError(
      'missing',
      `openCheckpoint: there is no ${MANIFEST_NAME} in ${location}: ${found}; no checkpoint was completed there`,
      { cause },
    );
  } catch (error) {
    const problem = isCheckpointError(error) ? error.message : `${location} cannot be listed`;
    return new CheckpointError(
      'missing',
      `openCheckpoint: ${problem}; give the directory that a checkpoint was written to`,
      { cause },
    );
  }
}

export function isSameManifest(a: StoredManifest | undefined, b: StoredManifest | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.bytes.length === b.bytes.length && a.bytes.every((byte, at) => byte === b.bytes[at]);
}

/** @throws CheckpointError `bad-json`, `unsupported-version`, `corrupted` */
export function parseManifest({ bytes, path }: StoredManifest, hash: Hash): Manifest {
  const fail = (problem: string, cause?: unknown): never => {
    throw new CheckpointError('bad-json', `checkpoint: ${path} (${bytes.length} bytes) ${problem}`, { cause });
  };
  const text = decodeUtf8(bytes);
  if (text === undefined) return fail('is not UTF-8; it is damaged');
  const value = parseJson(text, { depth: MAXIMUM_DEPTH }, fail);
  if (!isObject(value)) return fail('is not a JSON object');
  const { format, version, checksum, counter, texts, configuration, modules } = value;
  if (format !== FORMAT_NAME || (version !== FORMAT_VERSION && version !== 1)) {
    const found = `${typeof format === 'string' ? JSON.stringify(format.slice(0, 80)) : 'none'}, version ${typeof version === 'number' ? version : 'none'}`;
    throw new CheckpointError(
      'unsupported-version',
      `checkpoint: ${path} has the format ${found}; this package reads and replaces "${FORMAT_NAME}", versions 1 and ${FORMAT_VERSION}: use a version that fits, or another directory`,
    );
  }
  if (!isChecksum(checksum)) return fail('has no checksum of 64 hexadecimal digits');
  const found = hashText(text.replace(checksum, noChecksum), hash);
  if (found !== checksum)
    throw new CheckpointError(
      'corrupted',
      `checkpoint: ${path} is corrupted: its SHA-256 is ${found}, it says ${checksum}`,
    );

  const shards = version === 1 ? [value.weights] : value.shards;
  const index = value.index ?? undefined;
  const records = 'with plain file names, bytes and sha256';
  if (!isCount(counter)) return fail(`has the counter ${shown(counter)}; a whole number from 0 is needed`);
  if (!isArrayOf(shards, isFileRecord) || shards.length === 0)
    return fail(
      `has no ${version === 1 ? 'weights' : 'shards'} ${records}, but ${shown(version === 1 ? value.weights : value.shards)}`,
    );
  if (index !== undefined && !isFileRecord(index)) return fail(`has no index ${records}, but ${shown(index)}`);
  if (!isArrayOf(texts, isTextRecord)) return fail(`has no texts with names, and ${records}, but ${shown(texts)}`);
  if (!isObject(configuration)) return fail(`has no configuration, but ${shown(configuration)}`);
  if (!isArrayOf(modules, isModuleRecord))
    return fail(`has no modules with names and configurations, but ${shown(modules)}`);
  const manifest: Manifest = { counter, shards, index, texts, configuration: configuration as JsonObject, modules };
  const twice =
    findTwin(fileRecords(manifest).map(({ file }) => file)) ??
    findTwin(texts.map(({ name }) => name)) ??
    findTwin(modules.map(({ name }) => name));
  return twice === undefined ? manifest : fail(`names ${shown(twice)} twice`);
}

function findTwin(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** A name that stays in its directory and is the same on every system. Not hidden. */
export function isPlainFileName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(value) && !value.includes('..');
}

function hashText(text: string, hash: Hash): string {
  hash.update(new TextEncoder().encode(text));
  return hash.digest();
}

/**
 * SHA-256 of a whole file; holds two blocks, while one is hashed the next is read. `onBlock` hears of each block's size and may throw to stop.
 * @throws CheckpointError as the reader
 */
export async function hashFile(
  reader: RandomAccessReader,
  hash: Hash,
  onBlock?: (bytes: number) => void,
): Promise<string> {
  const size = Math.min(BLOCK_BYTES / 2, reader.bytes);
  const blocks = [new Uint8Array(size), new Uint8Array(size)] as const;
  const read = async (at: number): Promise<Uint8Array> => {
    const part = blocks[(at / size) % 2 === 0 ? 0 : 1].subarray(0, Math.min(size, reader.bytes - at));
    await reader.read(part, at);
    return part;
  };
  for (let at = 0, reading = reader.bytes === 0 ? undefined : read(0); reading !== undefined; at += size) {
    const part = await reading;
    reading = at + size < reader.bytes ? read(at + size) : undefined;
    try {
      hash.update(part);
      onBlock?.(part.length);
    } catch (error) {
      await reading?.catch(() => undefined);
      throw error;
    }
  }
  return hash.digest();
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
