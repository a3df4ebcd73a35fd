/**
 * A language model or word vectors: a network over the words of a vocabulary, and the examples of a text that it learns
 * from. The body and the examples together make it what it is:
 *
 * | model | body | predicts each word from |
 * |---|---|---|
 * | ngram | the last words side by side | the words before it |
 * | lstm, gru | recurrent | all words before it, back-propagation cut off after `steps` |
 * | transformer | layers of attention | the words before it among `steps` words |
 * | bag | mean of embeddings | the `window` words before it |
 * | cbow | mean of embeddings | the `window` words on either side |
 * | skip-gram | an embedding | predicts each of the `window` words on either side from the word alone |
 */
import type { Backend } from '@vastmax/linalg-core';
import {
  NgramBatches,
  SequenceBatches,
  WindowBatches,
  type NgramBatch,
  type SequenceBatch,
  type SequenceBatchesOptions,
  type SparseBatch,
  type Vocabulary,
} from '@vastmax/sparse-data';
import { bagModelShape } from '../bodies/bag-body.ts';
import { activationNames, type ActivationName, type TableParameter } from '../bodies/layers.ts';
import { defaultHeads, feedForwardNames, type FeedForwardName } from '../bodies/transformer-layers.ts';
import { evaluateRanking, type EvaluationOptions, type RankingMetrics } from '../metrics/ranking-metrics.ts';
import { ModelError } from '../model-error.ts';
import { createNetwork } from '../network/create-network.ts';
import type {
  BagNetwork,
  BodyChoice,
  DenseChoice,
  FoldInChoice,
  NetworkOptions,
  NgramNetwork,
  RecurrentNetwork,
  TransformerChoice,
  TransformerNetwork,
} from '../network/network-options.ts';
import type { Body, Network } from '../network/network.ts';
import { continueWords, type ContinueOptions } from '../prediction/continue-words.ts';
import { predictNextWords, type NextWord } from '../prediction/next-words.ts';
import type { BatchSource } from '../training/training-types.ts';
import type { OutputLayerFactory } from '../output-layers/output-layer-entry.ts';

/** The names of the text models. */
export const textModelNames = ['ngram', 'lstm', 'gru', 'transformer', 'bag', 'cbow', 'skip-gram'] as const;
/** The text models: what is read before, or around, the word that is predicted. */
export type TextModelName = (typeof textModelNames)[number];

/** Which examples of a text a model learns from; kept in its checkpoint. */
export interface ExampleSettings {
  readonly model: TextModelName;
  /**
   * lstm and gru: words after which back-propagation is cut off; 16 unless given. transformer: words that it sees at
   * once, its `context`; 64 unless given.
   */
  readonly steps?: number;
  /** bag: words before; cbow and skip-gram: words on either side; 5 unless given. */
  readonly window?: number;
}

/** A text as numbers of its vocabulary. */
export interface TextData {
  /** Word numbers of the text. */
  readonly tokens: Int32Array;
  /** The word before the first. */
  readonly paddingId: number;
}

/** A minibatch of any of the text models. */
export type TextBatch = NgramBatch | SequenceBatch | SparseBatch;
/** The body of a text model: it reads the minibatches that its kind of examples makes. */
export interface TextBody extends Body<TextBatch> {
  readonly embeddings: TableParameter;
  readonly options: (NgramNetwork | RecurrentNetwork | TransformerNetwork | BagNetwork)['body']['options'];
}
/** A network over any of the text models' minibatches. */
export type TextNetwork = Network<TextBatch, TextBody>;

/** The minibatches of a text. */
export interface TextBatches {
  readonly batches: BatchSource<TextBatch>;
  /** Examples of a full minibatch. */
  readonly batchSize: number;
  /** Recurrent models: in how many parts the text is read side by side. */
  readonly streams?: number;
}

/** How many words are predicted, and how a short prompt is padded. */
export interface PromptPredictionOptions {
  /** How many words for each prompt, at most. */
  readonly k: number;
  /** The word that stands before the first word of a text. */
  readonly paddingWord: string;
  /** Only words with at least this score. */
  readonly minScore?: number;
}

/** How a text is continued. */
export type ContinuedTextOptions = Pick<PromptPredictionOptions, 'k' | 'paddingWord'> &
  Pick<ContinueOptions, 'choose' | 'endWord'>;

interface BatchOrder {
  readonly batchSize: number;
  readonly seed: number;
}

/** The same order each time, so that the first n examples are a fair sample. */
const evaluationOrder: BatchOrder = { batchSize: 256, seed: 0 };
const evaluationStreams = 32;
/** Words of a sequence, where `steps` does not say. */
export function defaultStepsOf(model: TextModelName): number | undefined {
  return { lstm: 16, gru: 16, transformer: 64 }[model as string];
}
const defaultWindow = 5;

type SequenceLength = Pick<SequenceBatchesOptions, 'steps' | 'context'>;

/** So that every word is predicted from at least half as many words before it as the model can see. */
function halves(steps: number): SequenceLength {
  const context = Math.floor(steps / 2);
  return { steps: steps - context, context };
}

/** A text model disposes its network. */
export class TextModel implements Disposable {
  readonly network: TextNetwork;
  readonly vocabulary: Vocabulary;
  readonly examples: ExampleSettings;

  /** @param network whose inputs and classes are the words of `vocabulary`, of the body that `examples.model` has. */
  constructor(
    network: NgramNetwork | RecurrentNetwork | TransformerNetwork | BagNetwork,
    vocabulary: Vocabulary,
    examples: ExampleSettings,
  ) {
    this.network = network as Network<never> as TextNetwork;
    this.vocabulary = vocabulary;
    this.examples = examples;
  }

  /** False for a model that predicts the words around a word, none of which is the one right word. */
  get ranksWords(): boolean {
    return this.examples.model !== 'skip-gram';
  }

  /** For a Trainer. @param order `batchSize` examples; models over sequences take the nearest multiple of their steps. */
  trainingBatches(data: TextData, order: BatchOrder): TextBatches {
    const { model } = this.examples;
    const steps = this.#steps;
    if (steps === undefined) {
      // As in word2vec, near words count more than far ones.
      const batches = model === 'ngram' ? this.#ngrams(data, order) : this.#windows(data, order, model !== 'bag');
      return { batches, batchSize: order.batchSize };
    }
    const batches = this.#sequences(data, order.batchSize / steps, { steps });
    return { batches, batchSize: batches.streams * steps, streams: batches.streams };
  }

  /**
   * The ranks of the words of a text, each predicted from its context.
   * @throws ModelError `unsupported` for a model that ranks no words.
   */
  evaluate(data: TextData, options: EvaluationOptions): Promise<RankingMetrics> {
    const { model } = this.examples;
    if (!this.ranksWords)
      throw new ModelError(
        'unsupported',
        `a ${model} model predicts the words around a word: it ranks no word of a text`,
      );
    const steps = this.#steps;
    const batches =
      model === 'ngram'
        ? this.#ngrams(data, evaluationOrder)
        : steps === undefined
          ? this.#windows(data, evaluationOrder, false)
          : this.#sequences(data, evaluationStreams, model === 'transformer' ? halves(steps) : { steps });
    return evaluateRanking(this.network, batches as BatchSource<TextBatch>, options);
  }

  /**
   * The most likely next words after each prompt, best first. Words that the vocabulary lacks count as its unknown
   * word. O(prompts · D · d).
   */
  async predictNextWords(
    prompts: readonly (readonly string[])[],
    { k, paddingWord, minScore }: PromptPredictionOptions,
  ): Promise<NextWord[][]> {
    const lists = await predictNextWords(this.network, this.vocabulary, prompts, {
      k,
      paddingWord,
      ...this.#promptLength,
    });
    return minScore === undefined ? lists : lists.map((words) => words.filter(({ score }) => score >= minScore));
  }

  /** The words that follow a prompt, each chosen of the k most likely ones after all before it: {@link continueWords}. */
  continueWords(
    prompt: readonly string[],
    { k, paddingWord, endWord, choose }: ContinuedTextOptions,
  ): AsyncGenerator<string, void, undefined> {
    return continueWords(this.network, this.vocabulary, prompt, {
      k,
      paddingWord,
      choose,
      ...(endWord === undefined ? {} : { endWord }),
      ...this.#promptLength,
    });
  }

  get #promptLength(): { readonly maxWords?: number } {
    const { model, window = defaultWindow } = this.examples;
    const maxWords = { bag: window, cbow: 2 * window, 'skip-gram': 1 }[model as string];
    return maxWords === undefined ? {} : { maxWords };
  }

  #ngrams({ tokens, paddingId }: TextData, { batchSize, seed }: BatchOrder): NgramBatches {
    const { order } = this.network.body.options as NgramNetwork['body']['options'];
    return new NgramBatches({ tokens, classes: this.vocabulary.size, order, batchSize, paddingId, seed });
  }

  get #steps(): number | undefined {
    const { model, steps } = this.examples;
    const usual = defaultStepsOf(model);
    return usual === undefined ? undefined : (steps ?? usual);
  }

  #sequences({ tokens, paddingId }: TextData, streams: number, length: SequenceLength): SequenceBatches {
    return new SequenceBatches({
      tokens,
      classes: this.vocabulary.size,
      streams: Math.max(1, Math.min(tokens.length, Math.round(streams))),
      ...length,
      paddingId,
    });
  }

  #windows({ tokens }: TextData, { batchSize, seed }: BatchOrder, drawReach: boolean): WindowBatches {
    const { model, window = defaultWindow } = this.examples;
    return new WindowBatches({
      tokens,
      classes: this.vocabulary.size,
      before: window,
      after: model === 'bag' ? 0 : window,
      predict: model === 'skip-gram' ? 'context' : 'centre',
      drawReach,
      batchSize,
      seed,
    });
  }

  [Symbol.dispose](): void {
    this.network[Symbol.dispose]();
  }
}

/**
 * With random weights.
 * @param options of the network; {@link textBody} gives the body that belongs to `examples.model`.
 * @param createOutput what makes the output layer: over several ranks, or one of your own.
 * @throws ModelError and OutputLayerError for options that do not fit.
 */
export async function createTextModel(
  backend: Backend,
  vocabulary: Vocabulary,
  examples: ExampleSettings,
  options: NetworkOptions,
  createOutput?: OutputLayerFactory,
): Promise<TextModel> {
  const kind = bodyKindOf(examples.model);
  if (options.body.kind !== kind) {
    throw new ModelError('bad-option', `a ${examples.model} model has the body '${kind}', got '${options.body.kind}'`);
  }
  const sizes = { inputs: vocabulary.size, frequencies: vocabulary.counts };
  const network = await createNetwork(backend, sizes, options as NetworkOptions<TextBodyKind>, createOutput);
  return new TextModel(network, vocabulary, examples);
}

/** Sizes and regularisation of the body of a text model. */
export interface TextBodyOptions {
  /** ngram: how many words before; 5 unless given. */
  readonly order?: number;
  /** Width of a word's vector. */
  readonly embedding: number;
  /**
   * Widths of the layers above; ngram, lstm and gru have one of 128 unless given, bags none. Of a transformer the one
   * width of its feed-forward networks, 4 times `embedding` unless given.
   */
  readonly hidden?: readonly number[];
  /** Not of lstm and gru. */
  readonly activation?: ActivationName | FeedForwardName;
  /** transformer: 2 unless given. */
  readonly layers?: number;
  /** transformer: as many of 8, 4, 2, 1 as fit with heads of at least 32 numbers unless given. */
  readonly heads?: number;
  /** transformer: words that it sees at once; 64 unless given. */
  readonly steps?: number;
  readonly dropout?: number;
  readonly seed?: number;
}

/** The body of a model of that name. @throws ModelError `bad-option` for an activation that it cannot have. */
export function textBody(model: TextModelName, options: TextBodyOptions): TextBodyChoice {
  const { order = 5, embedding, hidden, dropout = 0, seed = 1 } = options;
  if (model === 'transformer') return transformerChoice(options);
  const activation = activationNames.find((name) => name === options.activation);
  if (options.activation !== undefined && activation === undefined) {
    throw new ModelError(
      'bad-option',
      `a ${model} model has no activation ${options.activation}; there are ${activationNames.join(', ')}`,
    );
  }
  switch (model) {
    case 'ngram':
      return {
        kind: 'ngram',
        order,
        embedding,
        hidden: hidden ?? [128],
        activation: activation ?? 'tanh',
        dropout,
        seed,
      };
    case 'lstm':
    case 'gru':
      return { kind: 'recurrent', embedding, cell: model, hidden: hidden ?? [128], dropout, seed };
    default:
      return {
        kind: 'bag',
        ...bagModelShape(model === 'bag' ? 'next-item' : model),
        embedding,
        ...(hidden === undefined ? {} : { hidden }),
        ...(activation === undefined ? {} : { activation }),
        dropout,
        seed,
      };
  }
}

function transformerChoice({
  embedding,
  hidden,
  activation,
  layers,
  heads,
  steps,
  dropout,
  seed,
}: TextBodyOptions): TransformerChoice {
  const name = activation === undefined ? 'gelu' : feedForwardNames.find((each) => each === activation);
  if (name === undefined || (hidden !== undefined && hidden.length !== 1)) {
    throw new ModelError(
      'bad-option',
      name === undefined
        ? `a transformer model has no activation ${String(activation)}; there are ${feedForwardNames.join(', ')}`
        : `a transformer model has feed-forward networks of one width, got hidden widths ${String(hidden)}; give one`,
    );
  }
  return {
    kind: 'transformer',
    embedding,
    layers: layers ?? 2,
    heads: heads ?? defaultHeads(embedding),
    context: steps ?? 64,
    feedForward: hidden?.[0] ?? 4 * embedding,
    activation: name,
    dropout: dropout ?? 0,
    seed: seed ?? 1,
  };
}

type TextBodyKind = 'ngram' | 'recurrent' | 'transformer' | 'bag';

/** The bodies that read words. */
export type TextBodyChoice = Exclude<BodyChoice, DenseChoice | FoldInChoice>;

function bodyKindOf(model: TextModelName): TextBodyKind {
  if (model === 'ngram' || model === 'transformer') return model;
  return model === 'lstm' || model === 'gru' ? 'recurrent' : 'bag';
}
