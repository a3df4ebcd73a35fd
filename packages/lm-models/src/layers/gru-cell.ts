/**
 * Gated recurrent unit (Cho et al., arXiv:1406.1078, in the form that resets after the product, which needs one product
 * with the state a step). The gates are columns in the order reset, update, candidate.
 *
 *     n = tanh(x·Wₙ + r∘(h·Uₙ + bₙ)),  h ← n + z∘(h − n)
 */
import { add, matmul, multiply, sigmoid, sliceColumns, subtract, tanh } from '@vastmax/autodiff';
import type { Backend } from '@vastmax/linalg-core';
import { Parameter } from '../parameters.ts';
import { createUniform } from './dense-layers.ts';
import type { CellOptions, RecurrentCell } from './recurrent-cell.ts';

/** 3·h·(inputs + h + 1) + h numbers. */
export function createGru(backend: Backend, { name, inputs, hidden, inputScale, random }: CellOptions): RecurrentCell {
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
          if (state === undefined) throw new RangeError('gru: the state has one matrix, got none');
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
