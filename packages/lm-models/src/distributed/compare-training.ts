/**
 * What must be the same on every rank that trains one model, and is compared before the first step: ranks that differ
 * in a seed, a rate or a text would train something that no single process would have trained, without an error.
 * Weights, texts and vocabularies are compared by a checksum of 53 bits.
 */
import { ArrayChecksum, compareRanks, type Communicator, type RankRecord } from '@vastmax/collectives';
import { shardPlaceOf } from '@vastmax/distributed-layers';
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { Vocabulary } from '@vastmax/sparse-data';
import { recurrentStreamsOf } from '../bodies/recurrent-state.ts';
import type { TrainingSnapshot } from '../training/training-types.ts';

/**
 * Compares the model's and the training's options, where the run stands in its data, and all weights that every rank
 * has. A collective. Reads these weights once.
 * @throws CommunicatorError `mismatch` on every rank, naming what differs, the values and the ranks.
 */
export async function compareTraining(communicator: Communicator, snapshot: TrainingSnapshot): Promise<void> {
  if (communicator.size === 1) return;
  compareRanks(communicator, 'training', {
    ...snapshot.configuration,
    ...(await replicaChecksums(snapshot.modules)),
  });
}

/** The texts of a training that all ranks must agree about. */
export interface TextData {
  readonly vocabulary: Vocabulary;
  readonly tokens: Int32Array;
  readonly heldOut?: Int32Array | undefined;
  /** Files that define how a text is read: a tokenizer's. */
  readonly texts?: Readonly<Record<string, string>>;
}

/**
 * Compares what each rank has read. A collective, for a program that gives each rank the whole text.
 * @throws CommunicatorError `mismatch` on every rank, naming what differs, both values and the ranks.
 */
export function compareTextData(
  communicator: Communicator,
  { vocabulary, tokens, heldOut, texts = {} }: TextData,
): void {
  if (communicator.size === 1) return;
  compareRanks(communicator, 'training data', {
    vocabulary: `${vocabulary.size} words, checksum ${checksumOfTexts(vocabulary.tokens)}`,
    'the counts of its words': `checksum ${checksumOfNumbers(vocabulary.counts)}`,
    'the text': describeTokens(tokens),
    'the held-out text': heldOut === undefined ? undefined : describeTokens(heldOut),
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        name,
        `${text.length} characters, checksum ${checksumOfTexts([text])}`,
      ]),
    ),
  });
}

/** A checksum of each tensor that every rank has; the recurrent states of its own streams are left out. */
export async function replicaChecksums(modules: Readonly<Record<string, ModuleState>>): Promise<RankRecord> {
  const checksums: Record<string, number> = {};
  for (const [module, state] of Object.entries(modules)) {
    if (shardPlaceOf(state) !== undefined) continue;
    const own = recurrentStreamsOf(state)?.tensorNames;
    for (const tensor of state.tensors) {
      if (own?.has(tensor.name) !== true)
        checksums[`the checksum of ${module}.${tensor.name}`] = await checksumOf(tensor);
    }
  }
  return checksums;
}

const numbersPerBlock = 2 ** 20;

async function checksumOf({ rows, columns, read }: TensorSource): Promise<number> {
  const hash = new ArrayChecksum();
  const block = Math.max(1, Math.floor(numbersPerBlock / Math.max(1, columns)));
  for (let first = 0; first < rows; first += block) hash.add(await read(first, Math.min(block, rows - first)));
  return hash.value;
}

function describeTokens(tokens: Int32Array): string {
  return `${tokens.length} tokens, checksum ${checksumOfNumbers(tokens)}`;
}

function checksumOfNumbers(numbers: Int32Array | Float64Array): number {
  const hash = new ArrayChecksum();
  hash.add(numbers);
  return hash.value;
}

function checksumOfTexts(texts: readonly string[]): number {
  const hash = new ArrayChecksum();
  const end = Int32Array.of(-1);
  for (const text of texts) {
    hash.add(Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)));
    hash.add(end);
  }
  return hash.value;
}
