import type { Tape, Variable } from '@vastmax/autodiff';
import type { Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { ModelParameters } from '../parameters.ts';

/** Everything of a model below its output layer: from a minibatch to the activations that classes are scored with. */
export interface Body<Batch> extends Disposable {
  readonly backend: Backend;
  /** Width of what `forward` returns. */
  readonly features: number;
  /** How many numbers training changes. */
  readonly parameterCount: number;
  readonly parameters: ModelParameters;
  /** m×features, on the tape: a row for each example of the minibatch, in the order of its targets. */
  forward(tape: Tape, batch: Batch, options?: { readonly training?: boolean }): Variable;
  state(): ModuleState;
  /** @throws StateError `state-mismatch` when the state's model is another. */
  restore(state: ModuleState): Promise<void>;
}
