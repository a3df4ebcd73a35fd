/** A model over the words of a vocabulary, as the commands use every kind. */
import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { JsonObject } from '@vastmax/linalg-core/state';
import type {
  BagChoice,
  EvaluationOptions,
  LanguageModelOptions,
  OutputLayerChoice,
  RankingMetrics,
  RecurrentChoice,
  SavedModel,
  TableParameter,
  TrainingOptions,
} from '@vastmax/lm-models';
import type { OutputLayer } from '@vastmax/output-layer';
import type { Vocabulary } from '@vastmax/sparse-data';
import type { AnyTrainer } from './any-trainer.ts';
import { UsageError } from './usage-error.ts';

export const modelNames = ['ngram', 'lstm', 'gru', 'bag', 'cbow', 'skip-gram'] as const;
export type ModelName = (typeof modelNames)[number];

/** Which examples of a text a model learns from; kept in its checkpoint. */
export interface ExampleSettings {
  readonly model: ModelName;
  /** Recurrent models: words after which back-propagation is cut off. */
  readonly steps?: number;
  /** bag: words before; cbow and skip-gram: words on either side. */
  readonly window?: number;
}

/** The `model` of a checkpoint's configuration. */
export type TextModelOptions =
  | LanguageModelOptions
  | { readonly body: RecurrentChoice; readonly output: OutputLayerChoice }
  | { readonly body: BagChoice; readonly output: OutputLayerChoice };

export interface TextData {
  readonly tokens: Int32Array;
  /** The word before the first. */
  readonly paddingId: number;
}

/** A text in minibatches, ready to be trained on. */
interface PreparedText {
  readonly examplesPerEpoch: number;
  /** Examples of a step. */
  readonly batchSize: number;
  createTrainer(training: TrainingOptions): AnyTrainer & Disposable;
}

export interface TextModel extends Disposable {
  readonly examples: ExampleSettings;
  readonly backend: Backend;
  readonly vocabulary: Vocabulary;
  readonly output: OutputLayer;
  readonly outputChoice: OutputLayerChoice;
  readonly embeddings: TableParameter;
  readonly embeddingScale: number;
  readonly bodyParameters: number;
  /** For people. */
  readonly description: string;
  /** Multiplications and additions of the body in a step of so many examples, forward and backward. */
  bodyOperations(batchSize: number): number;
  prepare(data: TextData, order: { readonly batchSize: number; readonly seed: number }): PreparedText;
  /** The weights of a checkpoint. @throws StateError `state-mismatch` for those of another model. */
  restore(saved: SavedModel): Promise<void>;
  /**
   * Ranks of the words of a text; undefined for a model that predicts contexts, of which there is no one right word.
   */
  readonly evaluate: ((data: TextData, options: EvaluationOptions) => Promise<RankingMetrics>) | undefined;
  /**
   * The activations after each prompt, prompts×features, valid until the next call.
   * @param prompts word numbers; one may be empty.
   */
  computePromptHidden(prompts: readonly (readonly number[])[], paddingId: number): Matrix;
}

/** Of a checkpoint; models from before there were several kinds are n-gram models. */
export function exampleSettingsFrom(configuration: JsonObject): ExampleSettings {
  const { exampleSettings: settings } = configuration;
  if (settings === undefined) return { model: 'ngram' };
  const { model, steps, window } = settings as { readonly [Name in keyof ExampleSettings]?: unknown };
  const isSize = (value: unknown): value is number | undefined =>
    value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0);
  const name = modelNames.find((each) => each === model);
  if (name === undefined || !isSize(steps) || !isSize(window)) {
    throw new UsageError(
      `this checkpoint's model is ${JSON.stringify(settings)}; this version knows ${modelNames.join(', ')}`,
    );
  }
  return { model: name, ...(steps === undefined ? {} : { steps }), ...(window === undefined ? {} : { window }) };
}
