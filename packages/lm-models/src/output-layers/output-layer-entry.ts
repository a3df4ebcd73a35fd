/** What the registry knows of an output layer. */
import type { Backend } from '@vastmax/linalg-core';
import type { JsonObject } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import type { AnyOutputChoice, OutputLayerChoice } from './output-layer-choice.ts';

/** The width of what an output layer gets, and how often each class occurs. */
export interface OutputLayerSizes {
  /** Width of the body's activations. */
  readonly features: number;
  /** How often each class occurred in training, falling: the rows of the layer are its D classes. */
  readonly frequencies: Float64Array;
}

/** Makes the layer of a choice. */
export type OutputLayerFactory<Choice extends AnyOutputChoice = OutputLayerChoice> = (
  backend: Backend,
  sizes: OutputLayerSizes,
  choice: Choice,
) => Promise<OutputLayer>;

/**
 * A start that trains, for an n-gram model of width about 128 and minibatches of 256 whose body is trained with plain
 * SGD (docs/experiments.md).
 */
export interface TrainingDefaults {
  /** Of the spherical loss; empty for other layers. */
  readonly lossOptions: Readonly<Record<string, number>>;
  readonly initialScale: number;
  /** With plain SGD. */
  readonly outputRate: number;
  readonly bodyRate: number;
  /** With other update rules of the layer's own weights, as far as they were tried. */
  readonly outputRates?: Readonly<Record<string, number>>;
}

/** Sizes of a step. */
export interface StepSizes {
  /** D. */
  readonly classes: number;
  /** d, the bias feature included. */
  readonly width: number;
  /** m. */
  readonly batch: number;
}

/** Rows of classes that are added to a layer. */
export interface AddedClasses {
  /** n×width weights, row by row, the bias last. */
  readonly values: ArrayLike<number>;
  /** How often each class occurs, the new ones included. */
  readonly frequencies: Float64Array;
}

/** What there is to know of an output layer by name: how to make it, its defaults, its cost and what it can do. */
export interface OutputLayerEntry<Choice extends AnyOutputChoice = OutputLayerChoice> {
  readonly name: Choice['kind'];
  /** One line. */
  readonly description: string;
  create(backend: Backend, sizes: OutputLayerSizes, choice: Choice): Promise<OutputLayer>;
  /** The options of a choice beside `kind`, `loss`, `initialScale` and `seed`, in the order in which they are shown. */
  readonly options: readonly string[];
  /** What holds for an option that is not given; those without a fixed value are missing. */
  readonly defaults: JsonObject;
  /** Of the layer with its first loss. */
  readonly training: TrainingDefaults;
  /** Of each loss, where there are several. */
  readonly losses?: Readonly<Record<string, TrainingDefaults>>;
  readonly cost: {
    /** Floating-point operations of a training step, in m, d and D, for people. */
    readonly step: string;
    /** How a step grows with the number of classes, for people. */
    readonly growth: string;
    /** An estimate of a step's operations. */
    operations(sizes: StepSizes, choice: Choice): number;
  };
  readonly abilities: {
    /** Whether a loss is −log p of a distribution over all classes: `yes`, `no`, or with which losses. */
    readonly probabilities: string;
    /**
     * How several targets of an example are to be weighted: `shares` that add up to 1, for losses that fit a
     * distribution, or as they are `given`.
     */
    targetWeights(choice: Choice): 'given' | 'shares';
    /** Whether its classes can be shared out over several ranks. */
    readonly overRanks: boolean;
    /** For people: how its rows are shared out over ranks; where they cannot be, why, and what to take instead. */
    readonly rowsOverRanks: string;
    /** An option of the choice that only one process has, and why. */
    refusedOverRanks?(choice: Choice): { readonly option: string; readonly reason: string } | undefined;
    /** Whether classes can be added in the middle of training. */
    readonly addsClasses: boolean;
  };
  /** Adds classes at the end. Of layers that can. */
  addClasses?(layer: OutputLayer, added: AddedClasses, choice: Choice): void;
}
