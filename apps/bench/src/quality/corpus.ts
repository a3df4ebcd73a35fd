/** The text that `bench quality` trains on and the one it ranks, over the training text's vocabulary. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeTokens,
  NgramBatches,
  type NgramBatchesOptions,
  type Vocabulary,
  whitespaceTokens,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { BenchError } from '../measurement/bench-error.ts';
import { textFile } from '../workload/training-corpus.ts';

/** Examples are the tokens from `first` to `last`, which is not one of them; contexts may begin before. */
export interface TextPart {
  readonly tokens: Int32Array;
  readonly first: number;
  readonly last: number;
}

export interface QualityCorpus {
  readonly name: string;
  /** Of both texts' tokens, in hexadecimal: tells one corpus from another. */
  readonly fingerprint: string;
  readonly vocabulary: Vocabulary;
  readonly paddingId: number;
  readonly training: TextPart;
  readonly heldOut: TextPart;
}

export interface QualityFiles {
  /** A folder with wiki.train.tokens and wiki.valid.tokens or the like, plain, .gz or .br. */
  readonly data?: string;
  readonly train?: string;
  readonly valid?: string;
}

/** @throws BenchError `bad-option` when no training text, or no held-out text, is to be found. */
export async function readQualityCorpus(files: QualityFiles): Promise<QualityCorpus> {
  const train = pathOf('train', files);
  const valid = pathOf('valid', files);
  const { vocabulary, tokens, paddingId } = await textFile(train);
  const heldOut = await encodeTokens(readLines(valid), vocabulary, {
    tokenize: whitespaceTokens,
    endOfLine: vocabulary.tokenOf(paddingId),
  });
  return {
    name: files.data ?? train,
    fingerprint: fingerprintOf(tokens, heldOut),
    vocabulary,
    paddingId,
    training: { tokens, first: 0, last: tokens.length },
    heldOut: { tokens: heldOut, first: 0, last: heldOut.length },
  };
}

/**
 * The training text without its last words, which are held out: what rates are tuned on.
 * @throws BenchError `bad-option` for a text too short.
 */
export async function readTuningCorpus({ data, train }: QualityFiles, heldOutWords: number): Promise<QualityCorpus> {
  const path = pathOf('train', { ...(data === undefined ? {} : { data }), ...(train === undefined ? {} : { train }) });
  const { vocabulary, tokens, paddingId } = await textFile(path);
  const split = tokens.length - heldOutWords;
  if (split < 1)
    throw new BenchError(
      'bad-option',
      `--held-out ${heldOutWords} leaves nothing to train on: ${path} has ${tokens.length} words`,
    );
  return {
    name: `${data ?? path}, its last ${heldOutWords} training words held out`,
    fingerprint: fingerprintOf(tokens, tokens.subarray(split)),
    vocabulary,
    paddingId,
    training: { tokens, first: 0, last: split },
    heldOut: { tokens, first: split, last: tokens.length },
  };
}

/**
 * @param seed of the shuffle; the held-out words have the same in every run, so that the first n are the same sample of
 * the whole.
 */
export function batchesOf(
  { vocabulary, paddingId }: QualityCorpus,
  part: TextPart,
  { order, batchSize, seed }: Required<Pick<NgramBatchesOptions, 'order' | 'batchSize' | 'seed'>>,
): NgramBatches {
  return new NgramBatches({ ...part, classes: vocabulary.size, order, batchSize, paddingId, seed });
}

function pathOf(part: 'train' | 'valid', { data, train, valid }: QualityFiles): string {
  const given = part === 'train' ? train : valid;
  if (given !== undefined) {
    if (!existsSync(given)) throw new BenchError('bad-option', `--${part} ${given}: there is no such file`);
    return given;
  }
  if (data === undefined)
    throw new BenchError(
      'bad-option',
      'no text was given; use --data with a folder, or --train and --valid with files',
    );
  if (!existsSync(data) || !statSync(data).isDirectory()) {
    throw new BenchError(
      'bad-option',
      `--data ${data} is no folder; give a folder, or two files with --train and --valid`,
    );
  }
  const candidates = [`wiki.${part}.tokens`, `${part}.txt`].flatMap((name) => [name, `${name}.br`, `${name}.gz`]);
  const found = candidates.map((name) => join(data, name)).find((path) => existsSync(path));
  if (found === undefined)
    throw new BenchError(
      'bad-option',
      `--data ${data} has none of ${candidates.join(', ')}; name the file with --${part}`,
    );
  return found;
}

function fingerprintOf(...texts: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const tokens of texts) hash.update(tokens).update(String(tokens.length));
  return hash.digest('hex').slice(0, 16);
}
