/** The options of classifiers of vectors that another encoder has made. */
import type { Command } from 'commander';
import { wholeNumber } from './option-values.ts';

/** Of `train`, `evaluate` and `predict`. */
export interface FeatureInputOptions {
  readonly features?: string;
  readonly featuresArray?: string;
}

export interface FeatureOptions extends FeatureInputOptions {
  readonly labels?: string;
  readonly validFeatures?: string;
  readonly validLabels?: string;
  readonly layerNorm?: boolean;
  readonly shuffleBlocks?: number;
}

export function addFeatureInputOptions(command: Command): Command {
  return command
    .option(
      '--features <file>',
      'vectors, one an example: .npy, .npz, safetensors, Parquet, JSON Lines, or word2vec (.vec, .bin)',
    )
    .option(
      '--features-array <name>',
      'which part of that file: an array of .npz, a tensor of safetensors, a column of Parquet, a key of JSON Lines',
    );
}

/** Of `train`. */
export function addFeatureOptions(command: Command): Command {
  return addFeatureInputOptions(command)
    .option('--labels <file>', 'a line an example: its label, a name or a number; several with --label-separator')
    .option('--valid-features <file>', 'held-out vectors, evaluated at the end, with --valid-labels')
    .option('--valid-labels <file>', 'their labels')
    .option('--layer-norm', 'normalise the product of each layer of --hidden before its activation')
    .option(
      '--shuffle-blocks <n>',
      'for files larger than memory: read n blocks of 1,024 vectors at a time, in random order, and shuffle those',
      wholeNumber('--shuffle-blocks', 1, 1_000_000),
    );
}

/** Vectors of a block of --shuffle-blocks. */
export const rowsOfBlock = 1024;
