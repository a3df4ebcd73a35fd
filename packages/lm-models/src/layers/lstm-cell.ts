/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000): the gates are
 * columns of one matrix in the order input, forget, output, candidate, so that a step is one product with the state and
 * the first three take one sigmoid.
 *
 *     c ← f∘c + i∘g,  h ← o∘tanh(c)
 */
import { add, matmul, multiply, sigmoid, sliceColumns, tanh } from '@vastmax/autodiff';
import { write, type Backend } from '@vastmax/linalg-core';
import { Parameter } from '../parameters.ts';
import { createUniform } from './dense-layers.ts';
import type { CellOptions, RecurrentCell } from './recurrent-cell.ts';

/**
 * 4·h·(inputs + h + 1) numbers. The forget gate's bias starts at 1 (Jozefowicz et al., ICML 2015), so that memory lasts
 * from the first step on.
 */
export function createLstm(backend: Backend, { name, inputs, hidden, inputScale, random }: CellOptions): RecurrentCell {
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
            throw new RangeError('lstm: the state has two matrices, the output and the memory');
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
