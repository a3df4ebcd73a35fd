/**
 * Rows by index. The indices stay the caller's and must keep their values until the step is over: the backward of
 * `gatherRows` and whoever applies `TableVariable.gradients` read them again.
 */
import { fill, gatherRows as gatherRowsInto, scatterAddRows, type Indices } from '@vastmax/linalg-core';
import { checkTable, noteGather, type TableVariable, type Variable } from '../variable.ts';
import { commonTape } from './checks.ts';

/**
 * out_i = x[indices_i], count×n. The gradient is dense, as large as x: for a table of very many rows use {@link
 * gatherTable}. O(count·n) forward; backward O(count·n), plus O(rows·n) once to clear x's gradient.
 * @throws LinalgError `index-out-of-range`.
 */
export function gatherRows(x: Variable, indices: Indices): Variable {
  const tape = commonTape('gatherRows', x);
  const out = tape.allocate(indices.count, x.columns);
  gatherRowsInto(x.value, indices, out);
  return tape.record(out, [x], (gradient, sink) => {
    const target = sink.target(x);
    if (target.beta === 0) fill(0, target.out);
    scatterAddRows(gradient, indices, target.out);
  });
}

/**
 * out_i = table[indices_i], count×n. The gradient is the pair (indices, ∂L/∂out) in `table.gradients`: O(count·n),
 * whatever the number of rows of the table. The result is a leaf, whose gradient is that pair's.
 * @throws LinalgError `index-out-of-range`.
 */
export function gatherTable(table: TableVariable, indices: Indices): Variable {
  checkTable('gatherTable', table);
  const { tape } = table;
  const out = tape.allocate(indices.count, table.table.columns);
  gatherRowsInto(table.table, indices, out);
  const output = tape.variable(out);
  noteGather(table, indices, output);
  return output;
}
