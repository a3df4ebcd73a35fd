/**
 * Recommenders: networks whose classes are the items of a catalogue, and what each kind reads of a user. All that one
 * kind has of its own is in this table; everything else is the same for all of them.
 *
 * | model | reads | learns |
 * |---|---|---|
 * | autoencoder | a user's set of items | to give the whole set back from a part (Mult-VAE's encoder, arXiv:1802.05814, without sampling) |
 * | next-item | the mean of the last items of a sequence | the item after them |
 * | session | a sequence, by a GRU (arXiv:1511.06939) | each next item of it |
 * | sasrec | the last items of a sequence, by causal attention (arXiv:1808.09781) | each next item of it |
 * | factorization | a user's set of items | users and items by alternating least squares (fitFactorization), without minibatches |
 */
import type { Matrix } from '@vastmax/linalg-core';
import {
  HistoryBatches,
  SessionBatches,
  SetBatches,
  SparseBatches,
  WindowBatches,
  type CsrRows,
  type SequenceBatch,
  type SparseBatch,
  type TargetWeights,
} from '@vastmax/sparse-data';
import { bagModelShape } from '../bodies/bag-body.ts';
import { activationNames, type ActivationName, type TableParameter } from '../bodies/layers.ts';
import {
  defaultHeads,
  feedForwardNames,
  type FeedForwardName,
  type PositionName,
} from '../bodies/transformer-layers.ts';
import { ModelError } from '../model-error.ts';
import type {
  BagChoice,
  BagNetwork,
  FoldInNetwork,
  RecurrentChoice,
  RecurrentNetwork,
  TransformerChoice,
  TransformerNetwork,
} from '../network/network-options.ts';
import type { Body, Network } from '../network/network.ts';
import type { FactoredChoice } from '../output-layers/output-layer-choice.ts';
import type { BatchSource } from '../training/training-types.ts';

/** The names of the recommenders that are trained by minibatches. */
export const trainedRecommenderNames = ['autoencoder', 'next-item', 'session', 'sasrec'] as const;
/** The name of a recommender that is trained by minibatches. */
export type TrainedRecommenderName = (typeof trainedRecommenderNames)[number];
/** The names of the recommenders. */
export const recommenderNames: readonly RecommenderName[] = [...trainedRecommenderNames, 'factorization'];
/** The name of a recommender. */
export type RecommenderName = TrainedRecommenderName | 'factorization';

/** What a recommender reads of a user; kept in its checkpoint. */
export interface RecommenderSettings {
  readonly model: RecommenderName;
  /** next-item: how many last items; 5 unless given. */
  readonly window?: number;
  /** session: items after which back-propagation is cut off; 16 unless given. */
  readonly steps?: number;
  /** sasrec: how many last items, the `context` of its body; 50 unless given. */
  readonly context?: number;
}

/** Sizes of a recommender's body. */
export interface RecommenderBodyOptions {
  /** Width of an item's vector, or of the first hidden layer of an autoencoder. */
  readonly embedding: number;
  /**
   * Widths of the layers above; session has one of 128 unless given, the others none. Of sasrec the one width of its
   * feed-forward networks, 4 times `embedding` unless given.
   */
  readonly hidden?: readonly number[];
  /** Not of session; sasrec: `gelu` unless given. */
  readonly activation?: ActivationName | FeedForwardName;
  /** sasrec: of attention and feed-forward; 2 unless given. */
  readonly layers?: number;
  /** sasrec: as many of 8, 4, 2, 1 as fit with heads of at least 32 numbers unless given. */
  readonly heads?: number;
  /** sasrec: `learned` unless given, as arXiv:1808.09781 has them. */
  readonly positions?: PositionName;
  /** sasrec: the most items that it sees of a user; 50 unless given. */
  readonly context?: number;
  readonly dropout?: number;
  /** Share of a user's items that are left out of the input in training; autoencoder: 0.5 unless given. */
  readonly inputDropout?: number;
  readonly seed?: number;
}

/** A minibatch of a recommender. */
export type RecommenderBatch = SparseBatch | SequenceBatch;
/** The body of a recommender: it reads the minibatches that its kind makes. */
export interface RecommenderBody extends Body<RecommenderBatch> {
  readonly embeddings: TableParameter;
  readonly options: (BagNetwork | RecurrentNetwork | TransformerNetwork | FoldInNetwork)['body']['options'];
}
/** A network over any of the recommenders' minibatches. */
export type RecommenderNetwork = Network<RecommenderBatch, RecommenderBody>;

/** Size and order of the minibatches. */
export interface RecommenderOrder {
  /** Users in a minibatch; items that are predicted, of models that read sequences. */
  readonly batchSize: number;
  readonly seed: number;
  /** As the output layer wants them. */
  readonly targetWeights: TargetWeights;
}

/** Minibatches, and how many examples a full one has. */
export interface RecommenderBatches {
  readonly batches: BatchSource<RecommenderBatch>;
  readonly batchSize: number;
}

/** What a recommender is trained with unless something else is asked for (docs/recommendation.md has the figures). */
export interface RecommenderDefaults {
  readonly embedding: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Of Adam. */
  readonly bodyRate: number;
  readonly outputRate: number;
  /** Without a seed. */
  readonly output: Omit<FactoredChoice, 'seed'>;
}

/** What serving a recommender needs. */
export interface ServedRecommender {
  /** One line. */
  readonly description: string;
  /** Whether the order of a user's items counts, and their repetitions; else they are a set with weights. */
  readonly reads: 'sets' | 'sequences';
  /** The activations that score the items for each history, rows×features; valid until the network's next call. */
  computeHidden(network: RecommenderNetwork, histories: CsrRows, settings: RecommenderSettings): Matrix;
}

/** What there is to know of a recommender that is trained by minibatches. */
export interface RecommenderEntry extends ServedRecommender {
  readonly defaults: RecommenderDefaults;
  body(options: RecommenderBodyOptions): BagChoice | RecurrentChoice | TransformerChoice;
  /** For a Trainer. @param histories one row a user. */
  trainingBatches(histories: CsrRows, order: RecommenderOrder, settings: RecommenderSettings): RecommenderBatches;
  /** As trainingBatches, for a search for rates, if it needs other examples: those that tell whether unseen items are found. */
  trialBatches?(histories: CsrRows, order: RecommenderOrder): RecommenderBatches;
}

const defaultWindow = 5;
const defaultSteps = 16;
const defaultContext = 50;

const implicitLoss: RecommenderDefaults['output'] = {
  kind: 'factored',
  loss: { name: 'implicit', options: { unobservedWeight: 0.1 } },
  initialScale: 0.001,
  // A minibatch of users is a long way from a least-squares solve, and this is most of it (mathematics.md §3c).
  precondition: 1,
};

const autoencoder: RecommenderEntry = {
  defaults: { embedding: 512, epochs: 15, batchSize: 256, bodyRate: 0.003, outputRate: 0.3, output: implicitLoss },
  description: "a user's set of items in, the whole catalogue out",
  reads: 'sets',
  body: ({ embedding, hidden = [], activation, dropout = 0, inputDropout = 0.5, seed = 1 }) => ({
    kind: 'bag',
    ...bagModelShape('autoencoder'),
    // Vectors of this scale start from outputs near 0, from which a few epochs are enough.
    embeddingScale: 0.1,
    embedding,
    hidden,
    ...activationOfBag('autoencoder', activation),
    dropout,
    inputDropout,
    seed,
  }),
  trainingBatches: (sets, { batchSize, seed, targetWeights }) => ({
    batches: new SparseBatches({
      inputs: sets,
      targets: sets,
      rows: rowsOfAtLeast(sets, 1),
      batchSize,
      seed,
      targetWeights,
    }),
    batchSize,
  }),
  trialBatches: (sets, { batchSize, seed, targetWeights }) => ({
    batches: new SetBatches({
      sets,
      rows: rowsOfAtLeast(sets, 2),
      shown: 0.8,
      predict: 'hidden',
      batchSize,
      seed,
      targetWeights,
    }),
    batchSize,
  }),
  computeHidden: (network, histories) => network.computeHidden(inputsOnly(histories)),
};

const nextItem: RecommenderEntry = {
  defaults: { embedding: 128, epochs: 10, batchSize: 256, bodyRate: 0.003, outputRate: 0.3, output: implicitLoss },
  description: 'the last items of a user in, the next one out',
  reads: 'sequences',
  body: ({ embedding, hidden = [], activation, dropout = 0, inputDropout = 0, seed = 1 }) => ({
    kind: 'bag',
    ...bagModelShape('next-item'),
    embedding,
    hidden,
    ...activationOfBag('next-item', activation),
    dropout,
    inputDropout,
    seed,
  }),
  trainingBatches: ({ columns, offsets, indices, rows }, { batchSize, seed }, { window = defaultWindow }) => ({
    batches: new WindowBatches({
      tokens: indices.subarray(0, offsets[rows]),
      segments: offsets,
      classes: columns,
      before: window,
      after: 0,
      predict: 'centre',
      batchSize,
      seed,
    }),
    batchSize,
  }),
  computeHidden: (network, histories, { window = defaultWindow }) =>
    network.computePromptHidden(listsOf(histories), { maxWords: window }),
};

const session: RecommenderEntry = {
  defaults: { embedding: 128, epochs: 10, batchSize: 256, bodyRate: 0.003, outputRate: 0.3, output: implicitLoss },
  description: "a user's items in their order, through a GRU, the next one out",
  reads: 'sequences',
  body: ({ embedding, hidden = [128], dropout = 0, seed = 1 }) => ({
    kind: 'recurrent',
    cell: 'gru',
    embedding,
    hidden,
    dropout,
    seed,
  }),
  trainingBatches: (sessions, { batchSize, seed }, { steps = defaultSteps }) => {
    const usable = rowsOfAtLeast(sessions, 2).length;
    const streams = Math.max(1, Math.min(usable, Math.round(batchSize / steps)));
    return { batches: new SessionBatches({ sessions, streams, steps, seed }), batchSize: streams * steps };
  },
  computeHidden: (network, histories) => network.computePromptHidden(listsOf(histories)),
};

const sasrec: RecommenderEntry = {
  defaults: { embedding: 128, epochs: 10, batchSize: 1024, bodyRate: 0.002, outputRate: 0.3, output: implicitLoss },
  description: "a user's last items in their order, through causal attention, the next one out",
  reads: 'sequences',
  body: ({
    embedding,
    hidden,
    activation = 'gelu',
    layers = 2,
    heads = defaultHeads(embedding),
    positions = 'learned',
    context = defaultContext,
    dropout = 0.2,
    seed = 1,
  }) => ({
    kind: 'transformer',
    embedding,
    layers,
    heads,
    context,
    feedForward: widthOfFeedForward(hidden) ?? 4 * embedding,
    activation: activationNamed('sasrec', activation, feedForwardNames),
    positions,
    dropout,
    seed,
  }),
  trainingBatches: (histories, { batchSize: wanted, seed }, { context = defaultContext }) => {
    const batchSize = Math.max(wanted, context);
    return { batches: new HistoryBatches({ histories, length: context, batchSize, seed }), batchSize };
  },
  computeHidden: (network, histories) => network.computePromptHidden(listsOf(histories)),
};

function widthOfFeedForward(hidden: readonly number[] | undefined): number | undefined {
  if (hidden === undefined || hidden.length === 1) return hidden?.[0];
  throw new ModelError(
    'bad-option',
    `a sasrec model has feed-forward networks of one width, got hidden widths ${String(hidden)}; give one`,
  );
}

function activationNamed<Name extends string>(model: string, activation: string, names: readonly Name[]): Name {
  const name = names.find((each) => each === activation);
  if (name !== undefined) return name;
  throw new ModelError('bad-option', `a ${model} model has no activation ${activation}; there are ${names.join(', ')}`);
}

function activationOfBag(
  model: RecommenderName,
  activation: string | undefined,
): { readonly activation?: ActivationName } {
  return activation === undefined ? {} : { activation: activationNamed(model, activation, activationNames) };
}

const factorization: ServedRecommender = {
  description: "a user's set of items, by least squares given all items",
  reads: 'sets',
  computeHidden: (network, histories) => network.computeHidden(inputsOnly(histories)),
};

/** The recommenders by name: body, minibatches and defaults of each that is trained by minibatches. */
export const recommenders: Readonly<Record<TrainedRecommenderName, RecommenderEntry>> & {
  readonly factorization: ServedRecommender;
} = {
  autoencoder,
  'next-item': nextItem,
  session,
  sasrec,
  factorization,
};

/** @throws ModelError `bad-option` for a name that is none of {@link recommenderNames}. */
export function recommenderOf(name: TrainedRecommenderName): RecommenderEntry;
export function recommenderOf(name: string): ServedRecommender;
export function recommenderOf(name: string): ServedRecommender {
  if (Object.hasOwn(recommenders, name)) return recommenders[name as RecommenderName];
  throw new ModelError('bad-option', `no recommender is called '${name}'; there are ${recommenderNames.join(', ')}`);
}

/** What a bag reads of a minibatch. */
function inputsOnly(inputs: CsrRows): SparseBatch {
  return { inputs } as SparseBatch;
}

/** The rows with at least so many entries. */
export function rowsOfAtLeast({ rows, offsets }: CsrRows, entries: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row).filter(
    (row) => offsets[row + 1]! - offsets[row]! >= entries,
  );
}

function listsOf({ rows, offsets, indices }: CsrRows): Int32Array[] {
  return Array.from({ length: rows }, (_, row) => indices.subarray(offsets[row], offsets[row + 1]));
}
