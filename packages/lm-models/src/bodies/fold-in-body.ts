/**
 * The body of a factorization: a user's activations are those that least squares finds for the items of the user, given
 * the items of the fit. So known and new users are the same to it, and nothing is kept of the users. It is fitted by
 * `fitFactorization`, and not trained by minibatches.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { Tape, Variable } from '@vastmax/autodiff';
import { FoldIn } from '@vastmax/spherical-losses';
import { ModelError } from '../model-error.ts';
import type { Body } from '../network/network.ts';
import type { BagInputs } from './bag-body.ts';
import {
  checkName,
  checkParameters,
  checkSameOptions,
  checkScale,
  checkSizes,
  countParameters,
  Parameter,
  parameterTensors,
  restoreParameters,
  TableParameter,
  type ModelParameters,
} from './layers.ts';

/** What a row's penalty grows with; see AlternatingPenalties of @vastmax/spherical-losses. */
const penaltyCountNames = ['entries', 'all'] as const;

/** Sizes of a fold-in body, and the weights of the sums that its fit minimised. */
export interface FoldInBodyOptions {
  /** The number of items. */
  readonly inputs: number;
  /** Width of an item's vector and of a user's activations. */
  readonly embedding: number;
  /** a₀, the weight of the squared scores of all items. */
  readonly unobservedWeight: number;
  /** λ. */
  readonly lambda: number;
  readonly penaltyCounts: (typeof penaltyCountNames)[number];
}

const model = 'fold-in model';

/** The items of a factorization, which users are folded into; see the head of this file. */
export class FoldInBody implements Body<BagInputs> {
  readonly backend: Backend;
  readonly options: FoldInBodyOptions;
  /** The items' vectors, in a basis in which the sum of their squares is diagonal. */
  readonly embeddings: TableParameter;
  readonly parameters: ModelParameters;
  /** For a fit that goes on. */
  readonly foldIn: FoldIn;

  /**
   * @param foldIn of these options, which the body then owns; one of zeros, for a checkpoint, unless given.
   * @throws ModelError `bad-option`.
   */
  constructor(backend: Backend, options: FoldInBodyOptions, foldIn?: FoldIn) {
    const { inputs, embedding, unobservedWeight, lambda, penaltyCounts } = options;
    checkSizes(model, [
      ['inputs', inputs],
      ['embedding', embedding],
    ]);
    checkScale(model, 'unobservedWeight', unobservedWeight);
    checkScale(model, 'lambda', lambda);
    checkName(model, 'count of penalties', penaltyCounts, penaltyCountNames);
    this.backend = backend;
    this.options = options;
    this.foldIn =
      foldIn ?? new FoldIn(backend, { classes: inputs, features: embedding, unobservedWeight, lambda, penaltyCounts });
    this.embeddings = new TableParameter('embeddings', this.foldIn.classRows);
    this.parameters = { matrices: [new Parameter('base', this.foldIn.base)], tables: [this.embeddings] };
  }

  get features(): number {
    return this.options.embedding;
  }

  get parameterCount(): number {
    return countParameters(this.parameters);
  }

  /**
   * Users×features: n²d operations for a user of n ≤ d items, nd² + d³ for more.
   * @throws ModelError `unsupported` in training; OutputLayerError for items or weights that the fit does not take.
   */
  forward(tape: Tape, { inputs }: BagInputs, { training = false }: { readonly training?: boolean } = {}): Variable {
    if (training)
      throw new ModelError('unsupported', `a ${model} is fitted by fitFactorization, not trained by minibatches`);
    const out = tape.allocate(inputs.rows, this.options.embedding);
    this.foldIn.solve(inputs, out);
    return tape.constant(out);
  }

  state(): ModuleState {
    return { configuration: { ...this.options }, tensors: parameterTensors(this.parameters) };
  }

  /** @throws ModelError or OutputLayerError `state-mismatch` when the state is of a fit with other sizes or weights. */
  async restore(state: ModuleState): Promise<void> {
    checkSameOptions(model, state, this.options, ['unobservedWeight', 'lambda', 'penaltyCounts']);
    checkParameters(state, this.parameters);
    await restoreParameters(state, this.parameters);
  }

  [Symbol.dispose](): void {
    this.foldIn[Symbol.dispose]();
  }
}
