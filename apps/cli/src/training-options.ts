/** What `vastmax train` was asked for, as the model and the trainer want it. */
import { trainingDefaults, type activationNames, type LanguageModelOptions, type outputLayerNames, type TrainingOptions } from '@vastmax/lm-models';
import type { Precision } from '@vastmax/linalg-core';
import type { TextSettings } from './text-settings.ts';
import { UsageError } from './usage-error.ts';

export interface TrainOptions {
  readonly valid?: string;
  readonly out: string;
  readonly overwrite?: true;
  readonly resume?: true;
  readonly backend: string;
  readonly precision: Precision;
  readonly tokenizer: TextSettings['tokenizer'];
  readonly lowerCase?: true;
  readonly minCount: number;
  readonly maxVocabulary?: number;
  readonly order: number;
  readonly embedding: number;
  readonly hidden: readonly number[];
  readonly activation: (typeof activationNames)[number];
  readonly dropout: number;
  readonly outputLayer: (typeof outputLayerNames)[number];
  readonly loss: string;
  readonly zA?: number;
  readonly zB?: number;
  readonly epsilon?: number;
  readonly targetValue?: number;
  readonly initialScale?: number;
  readonly weightDecay?: number;
  readonly outputRate?: number;
  readonly bodyRate?: number;
  readonly optimizer: string;
  readonly schedule: string;
  readonly finalFactor: number;
  readonly batch: number;
  readonly epochs: number;
  readonly examples?: number;
  readonly maxMinutes?: number;
  readonly seed: number;
  readonly checkpointEvery: number;
  readonly evaluate: number;
}

export function textSettingsOf(options: TrainOptions): TextSettings {
  return { tokenizer: options.tokenizer, lowerCase: options.lowerCase === true, endOfLine: '<eos>', unknown: '<unk>' };
}

/** @throws UsageError for an option of another loss. */
export function modelOptionsOf(options: TrainOptions): LanguageModelOptions {
  const defaults = trainingDefaults(options.loss);
  return {
    body: {
      order: options.order,
      embedding: options.embedding,
      hidden: options.hidden,
      activation: options.activation,
      dropout: options.dropout,
      seed: options.seed,
    },
    output: {
      kind: options.outputLayer,
      loss: { name: options.loss, options: lossOptionsOf(options, defaults.lossOptions) },
      initialScale: options.initialScale ?? defaults.initialScale,
      seed: options.seed,
      ...(options.weightDecay === undefined ? {} : { weightDecay: options.weightDecay }),
    },
  };
}

function lossOptionsOf(options: TrainOptions, defaults: Readonly<Record<string, number>>): Record<string, number> {
  const known: readonly (readonly [flag: string, name: string, value: number | undefined])[] = [
    ['--z-a', 'a', options.zA],
    ['--z-b', 'b', options.zB],
    ['--epsilon', 'epsilon', options.epsilon],
    ['--target-value', 'targetValue', options.targetValue],
  ];
  const lossOptions = { ...defaults };
  for (const [flag, name, value] of known) {
    if (value === undefined) continue;
    if (!(name in defaults)) {
      const own = known.filter(([, each]) => each in defaults).map(([each]) => each);
      throw new UsageError(`${flag} is no option of the loss ${options.loss}, which has ${own.join(' and ') || 'none'}; leave it out or give another --loss`);
    }
    lossOptions[name] = value;
  }
  return lossOptions;
}

export function trainingOptionsOf(options: TrainOptions, examplesPerEpoch: number): TrainingOptions {
  const defaults = trainingDefaults(options.loss);
  return {
    bodyRate: options.bodyRate ?? defaults.bodyRate,
    outputRate: options.outputRate ?? defaults.outputRate,
    optimizer: options.optimizer,
    schedule: options.schedule,
    scheduleOptions: { finalFactor: options.finalFactor },
    examples: options.examples ?? options.epochs * examplesPerEpoch,
    ...(options.maxMinutes === undefined ? {} : { maximumSeconds: 60 * options.maxMinutes }),
  };
}
