/**
 * What a layer's author passes to the suite, and what a case is: data with a stable id, so that a test can run it
 * alone.
 */
import type { Backend, Matrix } from '@vastmax/linalg-core';
import type { CsrRows } from '@vastmax/sparse-data';
import type { OutputLayer, StepOptions } from '../output-layer.ts';

/** The shape and seed of a layer that a case asks for. */
export interface LayerRequest {
  readonly classes: number;
  /** Width of `hidden`, without the layer's own bias feature. */
  readonly features: number;
  /** Two layers with the same seed start from the same weights, two with different seeds from different ones. */
  readonly seed: number;
}

/** The same training on stored weights, in the simplest form. */
export interface DenseTwin {
  /** Updated by `step`; in the order of `readWeights`. */
  readonly weights: ArrayLike<number>;
  /** @param hidden m×features. */
  step(
    hidden: Float64Array,
    targets: CsrRows,
    options: StepOptions,
  ): { readonly losses: ArrayLike<number>; readonly hiddenGradient: ArrayLike<number> };
}

/** A dense twin of a layer, for the check that a step is exact. */
export interface LayerReference<Layer extends OutputLayer> {
  /** All weights of the layer, dense, in any fixed order. */
  readWeights(layer: Layer): Promise<ArrayLike<number>>;
  createTwin(weights: Float64Array, request: LayerRequest): DenseTwin;
}

/** A further method of a layer, for the checks that calls do not overlap. */
export interface LayerCall<Layer extends OutputLayer = OutputLayer> {
  readonly name: string;
  /**
   * Makes the call. It returns or resolves with what the call gives, copied to the host without anything in between.
   * @param hidden m×features. @param classes one for each example.
   */
  start(layer: Layer, hidden: Matrix, classes: Int32Array): unknown;
  /** Whether nothing is left to wait for when it has returned, but for reading what it wrote. */
  readonly isSynchronous?: boolean;
  /** Whether no `restore` undoes it, as for added classes. */
  readonly isFinal?: boolean;
}

/** An output layer as the suite takes it: how to create it, and what to compare it with. */
export interface LayerUnderTest<Layer extends OutputLayer = OutputLayer> {
  /** Shown to people: `factored, z-loss`. */
  readonly name: string;
  /**
   * Of f64, where finite differences show most. On a backend of f32 the suite allows what rounding needs: 5e-5, and
   * 5e-3 for differences.
   */
  backend(): Backend;
  /**
   * A layer on the mean loss, without weight decay, with random weights large enough to matter (a deviation of 0.1 to
   * 0.5): a ranking of equal scores tests nothing.
   */
  create(backend: Backend, request: LayerRequest): Promise<Layer>;
  /** Calls that the layer has beside those of the interface, for the cases about calls that overlap. */
  readonly moreCalls?: readonly LayerCall<Layer>[];
  /** Dense SGD to compare with, for a layer that claims to equal it. */
  readonly reference?: LayerReference<Layer>;
  /** Cases that do not apply, by id, each with the reason, which the report shows beside the skipped case. */
  readonly notApplicable?: Readonly<Record<string, string>>;
}

/** One check of the suite. Its `id` is stable; `run` throws when it fails. */
export interface OutputLayerCase {
  /** Stable across versions: `restore/continues-bit-for-bit`. */
  readonly id: string;
  /** Rejects when the layer is wrong. */
  readonly run: (subject: LayerUnderTest) => Promise<void>;
}
