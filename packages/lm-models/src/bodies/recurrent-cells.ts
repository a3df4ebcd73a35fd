/**
 * The layers of a recurrent network: LSTM and GRU. The gates of a layer are columns of one matrix, so that a step is
 * one product with the state.
 */
import {
  add,
  matmul,
  multiply,
  sigmoid,
  sliceColumns,
  subtract,
  tanh,
  type Tape,
  type Variable,
} from '@vastmax/autodiff';
import { write, type Backend } from '@vastmax/linalg-core';
import type { RandomGenerator } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import { createUniform, Parameter } from './layers.ts';

/**
 * One layer of a recurrent network. Its state is a list of B×h variables, the first of which is the output of the
 * layer.
 */
export interface RecurrentCell {
  /** h. */
  readonly hidden: number;
  /** The number of matrices in its state. */
  readonly stateSize: number;
  readonly parameters: readonly Parameter[];
  /**
   * Records the layer's parameters on the step's tape, and computes for all T steps at once what does not depend on the
   * state.
   * @param x T·B×inputs.
   */
  begin(tape: Tape, x: Variable): RecurrentStep;
}

interface RecurrentStep {
  /** T·B×(gates·h), the inputs' part of all gates. */
  readonly projected: Variable;
  /** The state after one step. @param projected B×(gates·h), the rows of that step. */
  advance(projected: Variable, state: readonly Variable[]): readonly Variable[];
}

interface CellOptions {
  /** Prefix of its parameter names: `layer.0`. */
  readonly name: string;
  readonly inputs: number;
  readonly hidden: number;
  /** Standard deviation of the input at the start of training. */
  readonly inputScale: number;
  readonly random: RandomGenerator;
}

/** The names of the recurrent cells. */
export const cellNames = ['lstm', 'gru'] as const;
/** The recurrent cell. */
export type CellName = (typeof cellNames)[number];

export function createCell(name: CellName, backend: Backend, options: CellOptions): RecurrentCell {
  return name === 'lstm' ? createLstm(backend, options) : createGru(backend, options);
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). The gates are in
 * the order input, forget, output, candidate; one sigmoid is applied to the first three.
 *
 *     c ← f∘c + i∘g,  h ← o∘tanh(c)
 *
 * 4·h·(inputs + h + 1) numbers. The forget gate's bias starts at 1 (Jozefowicz et al., ICML 2015), so that memory lasts
 * from the first step on.
 */
function createLstm(backend: Backend, { name, inputs, hidden, inputScale, random }: CellOptions): RecurrentCell {
  const inputWeights = new Parameter(
    `${name}.inputWeights`,
    createUniform(backend, inputs, 4 * hidden, Math.sqrt(1 / inputs) / inputScale, random),
  );
  const stateWeights = new Parameter(
    `${name}.stateWeights`,
    createUniform(backend, hidden, 4 * hidden, Math.sqrt(1 / hidden), random),
  );
  const bias = new Parameter(`${name}.bias`, backend.createMatrix(1, 4 * hidden));
  write(
    Float64Array.from({ length: 4 * hidden }, (_, i) => (i >= hidden && i < 2 * hidden ? 1 : 0)),
    bias.value,
  );
  return {
    hidden,
    stateSize: 2,
    parameters: [inputWeights, stateWeights, bias],
    begin: (tape, x) => {
      const recurrent = stateWeights.use(tape);
      return {
        projected: add(matmul(x, inputWeights.use(tape)), bias.use(tape)),
        advance: (projected, [output, memory]) => {
          if (output === undefined || memory === undefined)
            throw new ModelError('shape', 'lstm: the state has two matrices, the output and the memory');
          const gates = add(projected, matmul(output, recurrent));
          const open = sigmoid(sliceColumns(gates, 0, 3 * hidden));
          const candidate = tanh(sliceColumns(gates, 3 * hidden, hidden));
          const kept = multiply(sliceColumns(open, hidden, hidden), memory);
          const next = add(kept, multiply(sliceColumns(open, 0, hidden), candidate));
          return [multiply(sliceColumns(open, 2 * hidden, hidden), tanh(next)), next];
        },
      };
    },
  };
}

/**
 * Gated recurrent unit (Cho et al., arXiv:1406.1078, in the form that resets after the product, which needs one product
 * with the state a step). The gates are in the order reset, update, candidate.
 *
 *     n = tanh(x·Wₙ + r∘(h·Uₙ + bₙ)),  h ← n + z∘(h − n)
 *
 * 3·h·(inputs + h + 1) + h numbers.
 */
function createGru(backend: Backend, { name, inputs, hidden, inputScale, random }: CellOptions): RecurrentCell {
  const inputWeights = new Parameter(
    `${name}.inputWeights`,
    createUniform(backend, inputs, 3 * hidden, Math.sqrt(1 / inputs) / inputScale, random),
  );
  const stateWeights = new Parameter(
    `${name}.stateWeights`,
    createUniform(backend, hidden, 3 * hidden, Math.sqrt(1 / hidden), random),
  );
  const bias = new Parameter(`${name}.bias`, backend.createMatrix(1, 3 * hidden));
  const candidateBias = new Parameter(`${name}.candidateBias`, backend.createMatrix(1, hidden));
  return {
    hidden,
    stateSize: 1,
    parameters: [inputWeights, stateWeights, bias, candidateBias],
    begin: (tape, x) => {
      const recurrent = stateWeights.use(tape);
      const stateBias = candidateBias.use(tape);
      return {
        projected: add(matmul(x, inputWeights.use(tape)), bias.use(tape)),
        advance: (projected, [state]) => {
          if (state === undefined) throw new ModelError('shape', 'gru: the state has one matrix, got none');
          const fromState = matmul(state, recurrent);
          const open = sigmoid(add(sliceColumns(projected, 0, 2 * hidden), sliceColumns(fromState, 0, 2 * hidden)));
          const remembered = multiply(
            sliceColumns(open, 0, hidden),
            add(sliceColumns(fromState, 2 * hidden, hidden), stateBias),
          );
          const candidate = tanh(add(sliceColumns(projected, 2 * hidden, hidden), remembered));
          return [add(candidate, multiply(sliceColumns(open, hidden, hidden), subtract(state, candidate)))];
        },
      };
    },
  };
}
