/** The update of rows with moments in host memory: one pass over the touched rows, in f64 and rounded when stored. */
import type { TableRows } from '../host-table.ts';
import type { FloatArray, MomentUpdate } from '../kernel-types.ts';

/** Rows indices_i of `table` and of its moments change by row i of `gradient`; no index is repeated. */
export function updateTableRows(
  gradient: FloatArray,
  indices: Int32Array,
  count: number,
  table: TableRows,
  moments: readonly TableRows[],
  update: MomentUpdate,
): void {
  const [first, second = first] = moments;
  if (first === undefined || second === undefined) return;
  const { pieces, shift, mask, columns } = table;
  for (let i = 0; i < count; i++) {
    const index = indices[i]!;
    const piece = index >> shift;
    const at = (index & mask) * columns;
    updateRow(pieces[piece]!, first.pieces[piece]!, second.pieces[piece]!, at, gradient, i * columns, columns, update);
  }
}

function updateRow(
  weights: FloatArray,
  first: FloatArray,
  second: FloatArray,
  at: number,
  gradient: FloatArray,
  from: number,
  columns: number,
  update: MomentUpdate,
): void {
  const { learningRate } = update;
  const end = at + columns;
  if (update.rule === 'momentum') {
    const { momentum } = update;
    for (let w = at, g = from; w < end; w++, g++) {
      first[w] = momentum * first[w]! + gradient[g]!;
      weights[w] = weights[w]! - learningRate * first[w]!;
    }
  } else if (update.rule === 'adagrad') {
    const { epsilon } = update;
    for (let w = at, g = from; w < end; w++, g++) {
      first[w] = first[w]! + gradient[g]! * gradient[g]!;
      weights[w] = weights[w]! - (learningRate * gradient[g]!) / (Math.sqrt(first[w]!) + epsilon);
    }
  } else {
    const { beta1, beta2, epsilon, step } = update;
    const rate = learningRate / (1 - beta1 ** step);
    const factor = 1 / (1 - beta2 ** step);
    for (let w = at, g = from; w < end; w++, g++) {
      first[w] = beta1 * first[w]! + (1 - beta1) * gradient[g]!;
      second[w] = beta2 * second[w]! + (1 - beta2) * gradient[g]! * gradient[g]!;
      weights[w] = weights[w]! - (rate * first[w]!) / (Math.sqrt(factor * second[w]!) + epsilon);
    }
  }
}
