/** A body and an output layer over one vocabulary: what is trained, evaluated, saved and asked for the next word. */
import { Tape, type Variable } from '@vastmax/autodiff';
import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { topK, type OutputLayer } from '@vastmax/output-layer';
import type { NgramBatch, Vocabulary } from '@vastmax/sparse-data';
import { NgramBody, type NgramBodyOptions } from '../models/ngram-body.ts';
import { createOutputLayer, type OutputLayerFactory } from '../output-layers/create-output-layer.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';
import { outputFor, restored } from './model-parts.ts';
import type { TrainableModel } from './trainable-model.ts';

export interface LanguageModelOptions {
  readonly body: Omit<NgramBodyOptions, 'words'>;
  readonly output: OutputLayerChoice;
}

export interface NextWord {
  readonly word: string;
  /** The output layer's score; comparable within one prompt only. */
  readonly score: number;
}

export class LanguageModel implements TrainableModel<NgramBatch>, Disposable {
  readonly backend: Backend;
  readonly options: LanguageModelOptions;
  readonly vocabulary: Vocabulary;
  readonly body: NgramBody;
  readonly output: OutputLayer;
  readonly #tape: Tape;

  /** Use {@link createLanguageModel} or {@link loadLanguageModel}. */
  constructor(options: LanguageModelOptions, vocabulary: Vocabulary, body: NgramBody, output: OutputLayer) {
    this.backend = body.backend;
    this.options = options;
    this.vocabulary = vocabulary;
    this.body = body;
    this.output = output;
    this.#tape = new Tape(this.backend);
  }

  /** Hidden activations of a minibatch, m×features, on the tape. */
  forward(tape: Tape, { contexts, size }: NgramBatch, options: { readonly training?: boolean } = {}): Variable {
    return this.body.forward(tape, contexts, size, options);
  }

  /** The same without training; valid until the next call. */
  computeBatchHidden({ contexts, size }: NgramBatch): Matrix {
    return this.computeHidden(contexts, size);
  }

  /** Hidden activations without training, m×features; valid until the next call. */
  computeHidden(contexts: Int32Array, examples: number): Matrix {
    this.#tape.reset();
    return this.body.forward(this.#tape, contexts, examples).value;
  }

  /**
   * The k most likely next words. Words that the vocabulary lacks count as its unknown word; a short prompt is padded
   * in front. O(D·d).
   */
  async predict(words: readonly string[], k: number, paddingWord: string): Promise<NextWord[]> {
    const { order } = this.body.options;
    const padding = this.#wordId(paddingWord);
    const context = new Int32Array(order).fill(padding);
    const last = words.slice(-order);
    for (const [position, word] of last.entries()) context[order - last.length + position] = this.#wordId(word);
    const best = await topK(this.output, this.computeHidden(context, 1), Math.min(k, this.vocabulary.size));
    return Array.from(best.classes, (id, place) => ({ word: this.vocabulary.tokenOf(id), score: best.scores[place]! }));
  }

  /** The parts of a checkpoint. */
  modules(): Readonly<Record<string, ModuleState>> {
    return { body: this.body.state(), output: this.output.state() };
  }

  #wordId(word: string): number {
    const id = this.vocabulary.idOf(word) ?? this.vocabulary.unknownId;
    if (id === undefined)
      throw new RangeError(`the word '${word}' is not in the vocabulary, which has no word for unknown ones`);
    return id;
  }

  [Symbol.dispose](): void {
    this.#tape[Symbol.dispose]();
    this.body[Symbol.dispose]();
    this.output[Symbol.dispose]();
  }
}

/** @param createOutput what makes the output layer of `options.output`. */
export async function createLanguageModel(
  backend: Backend,
  vocabulary: Vocabulary,
  options: LanguageModelOptions,
  createOutput: OutputLayerFactory = createOutputLayer,
): Promise<LanguageModel> {
  const body = new NgramBody(backend, { ...options.body, words: vocabulary.size });
  return new LanguageModel(
    options,
    vocabulary,
    body,
    await outputFor(body, vocabulary.counts, options.output, createOutput),
  );
}

/** Where a saved model is read from: an opened checkpoint has this shape. */
export interface SavedModel {
  readonly configuration: JsonObject;
  module(name: string): ModuleState;
}

/**
 * The model of a checkpoint, with its weights.
 * @throws StateError `state-mismatch` when the checkpoint does not describe a language model.
 */
export async function loadLanguageModel(
  backend: Backend,
  saved: SavedModel,
  vocabulary: Vocabulary,
): Promise<LanguageModel> {
  return await restored(await createLanguageModel(backend, vocabulary, modelOptionsFrom(saved.configuration)), saved);
}

/** The `model` part of a checkpoint's configuration, as written by the trainer. */
export function modelOptionsFrom(configuration: JsonObject): LanguageModelOptions {
  const model = configuration['model'];
  if (typeof model !== 'object' || model === null || !('body' in model) || !('output' in model)) {
    throw new RangeError(
      "the checkpoint's configuration describes no language model: 'model.body' and 'model.output' are missing",
    );
  }
  // Values are checked one by one where they are used: by the body and by the output layer.
  return model as unknown as LanguageModelOptions;
}
