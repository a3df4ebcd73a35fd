/**
 * A network as plain JSON: what `createNetwork` takes, and what a checkpoint's configuration has under `model`. What
 * comes out of a file is checked here, field by field, before anything is made of it.
 */
import type { JsonObject } from '@vastmax/linalg-core/state';
import type { BagBody, BagBodyOptions, BagInputs } from '../bodies/bag-body.ts';
import type { DenseBody, DenseBodyOptions, DenseInputs } from '../bodies/dense-body.ts';
import type { FoldInBody, FoldInBodyOptions } from '../bodies/fold-in-body.ts';
import type { NgramBody, NgramBodyOptions, NgramInputs } from '../bodies/ngram-body.ts';
import type { RecurrentBody, RecurrentBodyOptions, SequenceInputs } from '../bodies/recurrent-body.ts';
import type { TransformerBody } from '../bodies/transformer-body.ts';
import type { TransformerBodyOptions } from '../bodies/transformer-layers.ts';
import { ModelError } from '../model-error.ts';
import {
  checkFields,
  count,
  isCount,
  isNumbers,
  isObject,
  isText,
  number,
  optional,
  text,
  truth,
  whole,
  type Fields,
  type FieldType,
} from '../saved-fields.ts';
import type { AnyOutputChoice, OutputLayerChoice, OutputLayerName } from '../output-layers/output-layer-choice.ts';
import type { Network } from './network.ts';

/** Each kind of body: its options as plain JSON, what it reads of a minibatch, and its class. */
interface BodyKinds {
  readonly ngram: { readonly choice: NgramChoice; readonly batch: NgramInputs; readonly body: NgramBody };
  readonly bag: { readonly choice: BagChoice; readonly batch: BagInputs; readonly body: BagBody };
  readonly dense: { readonly choice: DenseChoice; readonly batch: DenseInputs; readonly body: DenseBody };
  readonly recurrent: {
    readonly choice: RecurrentChoice;
    readonly batch: SequenceInputs;
    readonly body: RecurrentBody;
  };
  readonly transformer: {
    readonly choice: TransformerChoice;
    readonly batch: SequenceInputs;
    readonly body: TransformerBody;
  };
  readonly 'fold-in': { readonly choice: FoldInChoice; readonly batch: BagInputs; readonly body: FoldInBody };
}
/** The kinds of bodies. */
export type BodyKind = keyof BodyKinds;

/** An n-gram body as an option of a network. */
export type NgramChoice = { readonly kind: 'ngram' } & Omit<NgramBodyOptions, 'words'>;
/** A bag body as an option of a network. */
export type BagChoice = { readonly kind: 'bag' } & Omit<BagBodyOptions, 'inputs'>;
/** A dense body as an option of a network. */
export type DenseChoice = { readonly kind: 'dense' } & Omit<DenseBodyOptions, 'inputs'>;
/** A recurrent body as an option of a network. */
export type RecurrentChoice = { readonly kind: 'recurrent' } & Omit<RecurrentBodyOptions, 'inputs'>;
/** A transformer as an option of a network. */
export type TransformerChoice = { readonly kind: 'transformer' } & Omit<TransformerBodyOptions, 'inputs'>;
/** A factorization's items as an option of a network. */
export type FoldInChoice = { readonly kind: 'fold-in' } & Omit<FoldInBodyOptions, 'inputs'>;
/** The body of a network, as an option: one of the kinds. */
export type BodyChoice = BodyKinds[BodyKind]['choice'];

/** Over the last n words. */
export type NgramNetwork = Network<NgramInputs, NgramBody>;
/** Over bags of inputs: classifier, autoencoder, word vectors, recommender by the last items. */
export type BagNetwork = Network<BagInputs, BagBody>;
/** Over vectors that another encoder has made. */
export type DenseNetwork = Network<DenseInputs, DenseBody>;
/** Over streams: recurrent language model, recommender by the session. */
export type RecurrentNetwork = Network<SequenceInputs, RecurrentBody>;
/** Over sequences, each seen as a whole: decoder language model, recommender by what a user took (SASRec). */
export type TransformerNetwork = Network<SequenceInputs, TransformerBody>;
/** A factorization of users and items, made by `fitFactorization`. */
export type FoldInNetwork = Network<BagInputs, FoldInBody>;
/** A network whose body is of one of the kinds. */
export type NetworkOf<Kind extends BodyKind, Output extends AnyOutputChoice = OutputLayerChoice> = {
  [Each in Kind]: Network<BodyKinds[Each]['batch'], BodyKinds[Each]['body'], Output>;
}[Kind];

/** Body and output layer of a network. */
export interface NetworkOptions<Kind extends BodyKind = BodyKind, Output extends AnyOutputChoice = OutputLayerChoice> {
  readonly body: BodyKinds[Kind]['choice'] & { readonly kind: Kind };
  readonly output: Output;
}

/** Layers of a body, and cutoffs: each part takes memory of its own, however few numbers it has. */
const maxParts = 1024;

/** Positions of a transformer: its attention takes time with their square. */
const maxContext = 65_536;

/** Of one example or minibatch; they are drawn into arrays of that length. */
const maxSamples = 65_536;

const samples: FieldType = {
  needed: `a whole number from 1 to ${maxSamples}`,
  fits: (value) => isCount(value) && Number(value) <= maxSamples,
};
const counts: FieldType = {
  needed: `an array of at most ${maxParts} whole numbers of at least 1`,
  fits: (value) => Array.isArray(value) && value.length <= maxParts && value.every(isCount),
};
const layerCount: FieldType = {
  needed: `a whole number from 1 to ${maxParts}`,
  fits: (value) => isCount(value) && Number(value) <= maxParts,
};
const contextLength: FieldType = {
  needed: `a whole number from 1 to ${maxContext}`,
  fits: (value) => isCount(value) && Number(value) <= maxContext,
};
const loss: FieldType = {
  needed: 'an object of a name and of options, which are numbers,',
  fits: (value) => isObject(value) && isText(value['name']) && isNumbers(value['options']),
};
const rule: FieldType = {
  needed: 'an object of a name and, if there are any, options, which are numbers,',
  fits: (value) => isObject(value) && isText(value['name']) && isNumbers(value['options'] ?? {}),
};
const anyBody: Fields = {
  embedding: count,
  dropout: optional(number),
  embeddingScale: optional(number),
  seed: optional(whole),
};
const bodyFields: Readonly<Record<BodyKind, Fields>> = {
  ngram: { ...anyBody, order: count, hidden: counts, activation: optional(text) },
  bag: {
    ...anyBody,
    pooling: optional(text),
    activation: optional(text),
    hidden: optional(counts),
    inputDropout: optional(number),
  },
  dense: {
    hidden: optional(counts),
    activation: optional(text),
    layerNorm: optional(truth),
    dropout: optional(number),
    inputDropout: optional(number),
    inputScale: optional(number),
    seed: optional(whole),
  },
  recurrent: { ...anyBody, cell: text, hidden: counts },
  transformer: {
    ...anyBody,
    layers: layerCount,
    heads: count,
    context: contextLength,
    feedForward: optional(count),
    activation: optional(text),
    positions: optional(text),
    norm: optional(text),
  },
  'fold-in': { embedding: count, unobservedWeight: number, lambda: number, penaltyCounts: text },
};

const anyOutput: Fields = { initialScale: number, seed: whole };
const trained: Fields = { ...anyOutput, rule: optional(rule) };
const sampled: Fields = {
  ...trained,
  samples,
  proposal: text,
  power: optional(number),
  sharing: optional(text),
};
const kernelSampled: Fields = {
  ...trained,
  samples,
  temperature: optional(number),
  frequencies: optional(count),
  nu: optional(number),
  alpha: optional(number),
};
const outputFields: Readonly<Record<OutputLayerName, Fields>> = {
  factored: { ...anyOutput, loss, weightDecay: optional(number), precondition: optional(number) },
  hybrid: {
    ...anyOutput,
    headSize: optional(count),
    cutoffs: optional(counts),
    priorPower: optional(number),
    tailLoss: optional(text),
    headRate: optional(number),
    tailRate: optional(number),
  },
  full: { ...trained, labelSmoothing: optional(number) },
  hierarchical: trained,
  huffman: trained,
  adaptive: { ...trained, cutoffs: optional(counts), divValue: optional(number) },
  sampled: { ...sampled, head: optional(whole) },
  nce: sampled,
  negative: sampled,
  rf: kernelSampled,
  quadratic: kernelSampled,
};

/**
 * The `model` of a checkpoint's configuration, as the trainer writes it.
 * @throws ModelError `state-mismatch` where it describes no network, or a part is missing or of another type.
 */
export function networkOptionsFrom(configuration: JsonObject): NetworkOptions {
  const model: unknown = configuration['model'];
  const { body: saved, output } = isObject(model) ? model : {};
  if (!isObject(saved) || !isObject(output)) {
    throw new ModelError(
      'state-mismatch',
      "the checkpoint's configuration describes no network: 'model.body' and 'model.output' are missing",
    );
  }
  // The first checkpoints had n-gram bodies only, and no kind.
  const body = { kind: 'ngram', ...saved };
  // A kind that this package does not have is named by whoever makes the part; an output layer may be one's own.
  checkPart('model.body', body, bodyFields);
  checkPart('model.output', output, outputFields);
  return { body, output } as unknown as NetworkOptions;
}

function checkPart(
  part: string,
  given: Readonly<Record<string, unknown>>,
  kinds: Readonly<Record<string, Fields>>,
): void {
  const { kind } = given;
  checkFields(part, given, { kind: text });
  const fields = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  checkFields(part, given, fields ?? {});
}

/** For a kind of body that this package does not have. */
export function unknownBody({ kind }: { readonly kind: unknown }): ModelError {
  return new ModelError(
    'bad-option',
    `no body is called '${String(kind)}'; there are ${Object.keys(bodyFields).join(', ')}`,
  );
}
