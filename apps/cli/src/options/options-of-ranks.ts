/**
 * Which options of `vastmax train` must be the same on every rank of a job, compared before anything is read. A new
 * option does not compile before it has its place here.
 */
import { compareRanks, type Communicator } from '@vastmax/collectives';
import manifest from '../../package.json' with { type: 'json' };
import type { TrainOptions } from './training-options.ts';

/**
 * - `same`: compared as it is given, or by its default.
 * - `content`: names a file, which may be elsewhere on each machine; what was read from it is compared.
 * - `own`: has no effect on what is trained.
 */
export const comparisonOfOptions: Readonly<Record<keyof TrainOptions, 'same' | 'content' | 'own'>> = {
  text: 'content',
  valid: 'content',
  initialVectors: 'content',
  // Its options are compared.
  config: 'own',
  printConfig: 'own',
  printConfigSchema: 'own',
  // Rank 0 alone writes them.
  log: 'own',
  tensorboard: 'own',
  // What it comes to is compared, and only where drift is not repaired: `auto` may choose by machine.
  backend: 'own',
  threads: 'own',
  out: 'same',
  overwrite: 'same',
  resume: 'same',
  dryRun: 'same',
  tokenizer: 'same',
  letterCase: 'same',
  lowerCase: 'same',
  locale: 'same',
  textColumn: 'same',
  features: 'same',
  featuresArray: 'same',
  labels: 'same',
  validFeatures: 'same',
  validLabels: 'same',
  layerNorm: 'same',
  shuffleBlocks: 'same',
  labelFormat: 'same',
  labelPrefix: 'same',
  labelColumn: 'same',
  labelSeparator: 'same',
  minCountLabel: 'same',
  wordNgrams: 'same',
  minChars: 'same',
  maxChars: 'same',
  buckets: 'same',
  classWeights: 'same',
  pointsOnDisk: 'same',
  interactionFormat: 'same',
  userColumn: 'same',
  itemColumn: 'same',
  timeColumn: 'same',
  weightColumn: 'same',
  minUserCount: 'same',
  minItemCount: 'same',
  split: 'same',
  holdOut: 'same',
  inputDropout: 'same',
  context: 'same',
  positions: 'same',
  lambda: 'same',
  precision: 'same',
  minCount: 'same',
  maxVocabulary: 'same',
  model: 'same',
  order: 'same',
  steps: 'same',
  window: 'same',
  layers: 'same',
  heads: 'same',
  embedding: 'same',
  hidden: 'same',
  activation: 'same',
  dropout: 'same',
  outputRate: 'same',
  bodyRate: 'same',
  rates: 'same',
  optimizer: 'same',
  clipNorm: 'same',
  schedule: 'same',
  finalFactor: 'same',
  warmup: 'same',
  batch: 'same',
  epochs: 'same',
  examples: 'same',
  maxMinutes: 'same',
  // A checkpoint is a collective, and so is the evaluation.
  checkpointEvery: 'same',
  evaluate: 'same',
  distributed: 'same',
  repairDrift: 'same',
  outputLayer: 'same',
  loss: 'same',
  zA: 'same',
  zB: 'same',
  epsilon: 'same',
  targetValue: 'same',
  unobservedWeight: 'same',
  pull: 'same',
  interaction: 'same',
  weightDecay: 'same',
  precondition: 'same',
  headSize: 'same',
  tail: 'same',
  shortlist: 'same',
  priorPower: 'same',
  tailLoss: 'same',
  headRate: 'same',
  tailRate: 'same',
  outputOptimizer: 'same',
  labelSmoothing: 'same',
  cutoffs: 'same',
  divValue: 'same',
  samples: 'same',
  proposal: 'same',
  proposalPower: 'same',
  sharing: 'same',
  sampledHead: 'same',
  temperature: 'same',
  rfFrequencies: 'same',
  nu: 'same',
  alpha: 'same',
  initialScale: 'same',
  seed: 'same',
};

/**
 * A collective, the first of a job.
 * @throws CommunicatorError `mismatch` on every rank, naming each flag that differs, both values and the ranks.
 */
export function compareOptionsOfRanks(communicator: Communicator, options: TrainOptions): void {
  const compared = Object.entries(options).filter(
    ([name]) => comparisonOfOptions[name as keyof TrainOptions] === 'same',
  );
  compareRanks(communicator, '--distributed', {
    'the version of vastmax': manifest.version,
    ...Object.fromEntries(compared.map(([name, value]) => [flagOfOption(name), value as unknown])),
  });
}

/** `--output-layer` for `outputLayer`. */
export function flagOfOption(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
