/** What `vastmax train` was asked for, as the model and the trainer want it. */
import { trainingDefaults, type activationNames, type LanguageModelOptions, type TrainingOptions } from '@vastmax/lm-models';
import type { Precision } from '@vastmax/linalg-core';
import { defaultsNameOf, outputLayerChoiceOf, type OutputLayerOptions } from './output-layer-options.ts';
import type { TextSettings } from './text-settings.ts';

export interface TrainOptions extends OutputLayerOptions {
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
  readonly outputRate?: number;
  readonly bodyRate?: number;
  readonly optimizer: string;
  readonly schedule: string;
  readonly finalFactor: number;
  readonly batch: number;
  readonly epochs: number;
  readonly examples?: number;
  readonly maxMinutes?: number;
  readonly checkpointEvery: number;
  readonly evaluate: number;
}

export function textSettingsOf(options: TrainOptions): TextSettings {
  return { tokenizer: options.tokenizer, lowerCase: options.lowerCase === true, endOfLine: '<eos>', unknown: '<unk>' };
}

/** @throws UsageError for an option of another layer or loss. */
export function modelOptionsOf(options: TrainOptions): LanguageModelOptions {
  return {
    body: {
      order: options.order,
      embedding: options.embedding,
      hidden: options.hidden,
      activation: options.activation,
      dropout: options.dropout,
      seed: options.seed,
    },
    output: outputLayerChoiceOf(options),
  };
}

export function trainingOptionsOf(options: TrainOptions, examplesPerEpoch: number): TrainingOptions {
  const defaults = trainingDefaults(defaultsNameOf(options));
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
