// The files of a checkpoint: what may go into them, how weights are divided over them, and their names.
//
// Tensors lie in several files as Hugging Face lays them out: whole tensors, in order, as many to a file as fit under a
// bound, and beside them `NAME.safetensors.index.json`, which says where each is. With one file there is no index.
// Other programs find the tensors by the index; here checkpoint.json names the files and each file its tensors.

import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { CheckpointError } from './errors.ts';
import { encodeJson } from './json.ts';
import {
  fileRecords,
  isPlainFileName,
  type FileRecord,
  type Manifest,
  type ModuleRecord,
  type TextRecord,
} from './manifest.ts';
import { checkTensors, storedBytes, type LabelledTensor } from './safetensors-writer.ts';
import type { Hash } from './storage.ts';

/** As `nameShards` makes them. */
const WEIGHTS =
  /^weights-(?<counter>\d{1,15})-[0-9a-f]{8}(?:-\d{5}-of-\d{5}\.safetensors|\.safetensors(?:\.index\.json)?)$/;
/** As `encodeText` makes them. */
const TEXT = /^(?<stem>.+)-[0-9a-f]{16}(?<extension>\.[^.]*)?$/;

/** What `writeCheckpoint` stores: JSON, the state of each module by name, and texts by file name. */
export interface CheckpointContent {
  readonly configuration: JsonObject;
  /** By name. A name has no slash: tensors are stored as `module/tensor`. */
  readonly modules: Readonly<Record<string, ModuleState>>;
  /**
   * By file name, `vocabulary.json` for one. A text that did not change since the last checkpoint is not written again.
   */
  readonly texts?: Readonly<Record<string, string>>;
}

/** What one process wrote of a checkpoint: plain JSON, for the process that commits it. */
export interface CheckpointPart {
  readonly shards: readonly WrittenShard[];
  readonly modules: readonly ModuleRecord[];
}

/** A safetensors file of a checkpoint, with the tensors in it. */
export interface WrittenShard extends FileRecord {
  readonly tensors: readonly TensorPlace[];
}

/**
 * Everything that can be refused before a byte is written.
 * @throws CheckpointError `bad-argument`, `bad-json`, `non-finite`
 */
export function checkContent({ configuration, modules, texts = {} }: CheckpointContent): void {
  encodeJson(configuration, 'writeCheckpoint: configuration');
  for (const [name, module] of Object.entries(modules)) {
    if (name === '' || name.includes('/'))
      throw new CheckpointError(
        'bad-argument',
        `writeCheckpoint: the module name ${JSON.stringify(name)} is empty or has a slash; tensors are stored as module/tensor`,
      );
    checkWellFormed(name, 'a module name');
    for (const tensor of module.tensors) checkWellFormed(tensor.name, `module ${name}: a tensor name`);
    encodeJson(module.configuration, `writeCheckpoint: module ${name}: configuration`);
  }
  for (const [name, text] of Object.entries(texts)) {
    if (!isPlainFileName(name) || name.length > 100) {
      throw new CheckpointError(
        'bad-argument',
        `writeCheckpoint: the text name ${JSON.stringify(name)} is not a plain file name; use up to 100 letters, digits, "." "_" "-", with no ".." and no "." or "-" first`,
      );
    }
    checkWellFormed(text, `text ${name}`);
  }
}

/** UTF-8 would turn half of a surrogate pair into U+FFFD without a word. */
function checkWellFormed(text: string, label: string): void {
  const at = text.search(/\p{Surrogate}/u);
  if (at !== -1)
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: ${label} has a lone surrogate (0x${text.charCodeAt(at).toString(16)}) at index ${at}, which UTF-8 cannot hold; remove it`,
    );
}

export function labelTensors(modules: Readonly<Record<string, ModuleState>>): LabelledTensor[] {
  return Object.entries(modules).flatMap(([module, { tensors }]) =>
    tensors.map((source) => ({
      name: `${module}/${source.name}`,
      label: `writeCheckpoint: module ${module}, tensor ${source.name}`,
      source,
    })),
  );
}

export interface EncodedText {
  readonly record: TextRecord;
  readonly bytes: Uint8Array;
}

/** A text is stored under its name and content, so that an unchanged one is not written again. */
export function encodeText(name: string, text: string, hash: Hash): EncodedText {
  const bytes = new TextEncoder().encode(text);
  hash.update(bytes);
  const sha256 = hash.digest();
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot === -1 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
  const file = `${stem}-${sha256.slice(0, 16)}${extension}`;
  return { record: { name, file, bytes: bytes.length, sha256 }, bytes };
}

/** Of tensors in a shard. */
export const DEFAULT_SHARD_BYTES: number = 2 ** 32;
/** Five digits. */
const MAXIMUM_SHARDS = 99_999;

/**
 * At least one shard, which may be empty. A tensor larger than the bound has a shard of its own.
 * @throws CheckpointError `bad-argument` for tensors that cannot be written, a bound that is no whole number from 1, or
 * too many shards
 */
export function planShards(
  tensors: readonly LabelledTensor[],
  maximumBytes: number,
): readonly (readonly LabelledTensor[])[] {
  if (!Number.isSafeInteger(maximumBytes) || maximumBytes < 1)
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: maximumShardBytes is ${maximumBytes}; a whole number of at least 1 is needed`,
    );
  checkTensors(tensors);
  const shards: LabelledTensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const bytes = storedBytes(tensor);
    const shard = shards.at(-1);
    if (shard === undefined || bytes > room) {
      shards.push([tensor]);
      room = maximumBytes - bytes;
    } else {
      shard.push(tensor);
      room -= bytes;
    }
  }
  if (shards.length > MAXIMUM_SHARDS)
    throw new CheckpointError(
      'bad-argument',
      `writeCheckpoint: with maximumShardBytes ${maximumBytes} there are ${shards.length} shards; at most ${MAXIMUM_SHARDS} are possible: raise it`,
    );
  return shards.length === 0 ? [[]] : shards;
}

export interface ShardNames {
  readonly shards: readonly string[];
  /** Absent with one shard. */
  readonly index?: string;
}

/** Names that no checkpoint has used. @param others how many shards the checkpoint has beside these. */
export function nameShards(counter: number, count: number, others = 0): ShardNames {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const stem = `weights-${counter}-${random.toString(16).padStart(8, '0')}`;
  const five = (value: number): string => String(value).padStart(5, '0');
  const shards =
    count === 1
      ? [`${stem}.safetensors`]
      : Array.from({ length: count }, (_, at) => `${stem}-${five(at + 1)}-of-${five(count)}.safetensors`);
  return count + others === 1 ? { shards } : { shards, index: `${stem}.safetensors.index.json` };
}

/** What the index says of a tensor. */
export interface TensorPlace {
  readonly name: string;
  readonly bytes: number;
}

export function placesOf(tensors: readonly LabelledTensor[]): readonly TensorPlace[] {
  return tensors.map((tensor) => ({ name: tensor.name, bytes: storedBytes(tensor) }));
}

/** The index: https://huggingface.co/docs/safetensors (sharded checkpoints). */
export function encodeShardIndex(shards: readonly (readonly TensorPlace[])[], names: readonly string[]): Uint8Array {
  const members = shards.flatMap((tensors, at) =>
    tensors.map(({ name }) => `    ${JSON.stringify(name)}: ${JSON.stringify(names[at])}`),
  );
  const total = shards.flat().reduce((sum, { bytes }) => sum + bytes, 0);
  return new TextEncoder().encode(
    `{\n  "metadata": { "total_size": ${total} },\n  "weight_map": {\n${members.join(',\n')}\n  }\n}\n`,
  );
}

/** One more than every checkpoint that was written, or begun, in the directory. */
export function nextCounter(names: readonly string[], previous: Manifest | undefined): number {
  const counters = names.map((name) => Number(WEIGHTS.exec(name)?.groups?.counter ?? 0));
  return counters.reduce((a, b) => Math.max(a, b), previous?.counter ?? 0) + 1;
}

/**
 * Tells the files that earlier checkpoints and interrupted writers have left beside `current`. Only names that this
 * package gives are among them: other files are the user's.
 */
export function staleFileFilter(current: Manifest, previous: Manifest | undefined): (name: string) => boolean {
  const kept = new Set(fileRecords(current).map(({ file }) => file));
  const earlier = new Set(previous === undefined ? [] : fileRecords(previous).map(({ file }) => file));
  const textNames = new Set([...current.texts, ...(previous?.texts ?? [])].map(({ name }) => name));
  return (name) => {
    if (kept.has(name)) return false;
    if (earlier.has(name) || WEIGHTS.test(name)) return true;
    const text = TEXT.exec(name)?.groups;
    return text !== undefined && textNames.has(`${text.stem ?? ''}${text.extension ?? ''}`);
  };
}
