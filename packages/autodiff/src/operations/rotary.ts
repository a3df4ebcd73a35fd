/**
 * Rotary position embedding (arXiv:2104.09864 §3.4.2): the number pairs of a head are turned by angles in proportion to
 * the position, so that the product of a query and a key depends on the distance between them only. Pair i of a head of
 * w columns is columns i and i + w/2. A turn of all pairs is x ∘ c + swap(x) ∘ s, where swap exchanges the halves of a
 * head and s has the sines, negative in the first half; its gradient is the turn back.
 */
import { binary, copyColumns, describeShape, type Matrix } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { commonTape, type Recorder, type Variable } from '../variable.ts';

/**
 * x turned, n×(heads·w). O(n·heads·w).
 * @param x n×(heads·w), the heads side by side, w even.
 * @param cosines n×(heads·w); of the angle of the column's pair at the row's position. A constant.
 * @param sines likewise; negative in the first half of each head.
 * @throws AutodiffError `shape`.
 */
export function rotary(x: Variable, cosines: Variable, sines: Variable, heads: number): Variable {
  const tape = commonTape('rotary', x, cosines, sines);
  const { rows, columns } = x;
  for (const [role, { rows: r, columns: c }] of [
    ['cosines', cosines],
    ['sines', sines],
  ] as const) {
    if (r === rows && c === columns && columns % (2 * heads) === 0) continue;
    throw new AutodiffError(
      'shape',
      `rotary: x is ${describeShape(x)}, ${role} are ${r}×${c}, with ${heads} heads; the shapes must agree, and each head have an even number of columns`,
    );
  }
  const out = tape.allocate(rows, columns);
  const swapped = swapHalves(tape, x.value, heads);
  binary('multiply', x.value, cosines.value, out);
  binary('multiply', swapped, sines.value, swapped);
  binary('add', out, swapped, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(rows, columns);
    const products = tape.allocate(rows, columns);
    binary('multiply', gradient, cosines.value, contribution);
    binary('multiply', gradient, sines.value, products);
    binary('add', contribution, swapHalves(tape, products, heads), contribution);
    sink.add(x, contribution);
  });
}

/** The halves of each head exchanged. */
function swapHalves(tape: Recorder, x: Matrix, heads: number): Matrix {
  const { rows, columns } = x;
  const width = columns / heads;
  const half = width / 2;
  const out = tape.allocate(rows * heads, width);
  x.resize(rows * heads, width);
  copyColumns(x, half, out, 0, half);
  copyColumns(x, 0, out, half, half);
  x.resize(rows, columns);
  return out.resize(rows, columns);
}
