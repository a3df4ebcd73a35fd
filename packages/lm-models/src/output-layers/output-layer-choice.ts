/** An output layer as configuration: plain JSON, what the command line is turned into and checkpoints keep. */

/** What negatives can be drawn from by name. */
export const proposalNames = ['uniform', 'log-uniform', 'unigram', 'learned'] as const;
/** What negative classes are drawn from. */
export type ProposalName = (typeof proposalNames)[number];

/** What the options of every output layer have, also of one that is not built in. */
export interface AnyOutputChoice {
  readonly kind: string;
  /** Standard deviation of the normal start. */
  readonly initialScale: number;
  readonly seed: number;
}

/** The exact layer of the spherical losses. */
export interface FactoredChoice extends AnyOutputChoice {
  readonly kind: 'factored';
  readonly loss: { readonly name: string; readonly options: Readonly<Record<string, number>> };
  readonly weightDecay?: number;
  /** Power of the inverse second moment of the inputs that multiplies each step, 0.5 or 1; plain SGD unless given. */
  readonly precondition?: number;
}

/** A dense head over the most frequent classes, and a tree or an exact factored layer over the others. */
export interface HybridChoice extends AnyOutputChoice {
  readonly kind: 'hybrid';
  /** Classes of the head; chosen by cost unless given. */
  readonly headSize?: number;
  /** Where further tails begin, ascending. */
  readonly cutoffs?: readonly number[];
  /** A tree unless given. */
  readonly tail?: 'tree' | 'spherical';
  /** Of a tree: classes after the head that are children of the root; chosen by cost unless given. */
  readonly shortlist?: number;
  /** Of a spherical tail's prior. */
  readonly priorPower?: number;
  /** Of a spherical tail. */
  readonly tailLoss?: 'spherical-softmax' | 'taylor-softmax';
  /** What the output rate is multiplied by for each part. */
  readonly headRate?: number;
  readonly tailRate?: number;
}

export interface AnySoftmaxChoice extends AnyOutputChoice {
  /** Update rule of the layer's own weights; plain SGD unless given. */
  readonly rule?: { readonly name: string; readonly options?: Readonly<Record<string, number>> };
}

export interface FullChoice extends AnySoftmaxChoice {
  readonly kind: 'full';
  readonly labelSmoothing?: number;
}

export interface TreeChoice extends AnySoftmaxChoice {
  readonly kind: 'hierarchical' | 'huffman';
}

export interface AdaptiveChoice extends AnySoftmaxChoice {
  readonly kind: 'adaptive';
  /** Balanced by cost unless given. */
  readonly cutoffs?: readonly number[];
  readonly divValue?: number;
}

export interface SampledChoice extends AnySoftmaxChoice {
  readonly kind: 'sampled' | 'nce' | 'negative';
  readonly samples: number;
  readonly proposal: ProposalName;
  /** Of the unigram proposal's counts. */
  readonly power?: number;
  readonly sharing?: 'minibatch' | 'example';
  /**
   * sampled, unigram: so many of the most frequent classes are in every sample, and only the others are drawn; 0 unless
   * given.
   */
  readonly head?: number;
}

export interface KernelSampledChoice extends AnySoftmaxChoice {
  readonly kind: 'rf' | 'quadratic';
  readonly samples: number;
  /** τ of rf, whose logits are τ·cos(h, w); quadratic has plain logits unless given. */
  readonly temperature?: number;
  /** R of rf. */
  readonly frequencies?: number;
  /** ν of rf. */
  readonly nu?: number;
  /** α of quadratic. */
  readonly alpha?: number;
}

/** The output layer of a network, as an option: one of the built-in ones. */
export type OutputLayerChoice =
  FactoredChoice | HybridChoice | FullChoice | TreeChoice | AdaptiveChoice | SampledChoice | KernelSampledChoice;

/** The names of the built-in output layers. */
export type OutputLayerName = OutputLayerChoice['kind'];
