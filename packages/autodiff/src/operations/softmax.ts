/**
 * Softmax over the columns of every row, with the row's maximum subtracted first, so that nothing overflows. O(m·n).
 */
import { binary, reduce, rowDot, unary, type Matrix } from '@vastmax/linalg-core';
import type { Tape } from '../tape.ts';
import type { Variable } from '../variable.ts';
import { commonTape } from './checks.ts';

/** out = x − max of its row. */
function subtractRowMaximum(tape: Tape, x: Matrix, out: Matrix): void {
  const maximum = tape.allocate(x.rows, 1);
  reduce('maximum', x, maximum);
  binary('subtract', x, maximum, out);
}

/** e^x_ij / Σₖ e^x_ik, m×n. */
export function softmax(x: Variable): Variable {
  const tape = commonTape('softmax', x);
  const out = tape.allocate(x.rows, x.columns);
  subtractRowMaximum(tape, x.value, out);
  unary('exp', out, out);
  const total = tape.allocate(x.rows, 1);
  reduce('sum', out, total);
  binary('divide', out, total, out);
  return tape.record(out, [x], (gradient, sink) => {
    // ∂x = y ∘ (g − g·y)
    const along = tape.allocate(x.rows, 1);
    rowDot(gradient, out, along);
    const contribution = tape.allocate(x.rows, x.columns);
    binary('subtract', gradient, along, contribution);
    binary('multiply', contribution, out, contribution);
    sink.give(x, contribution);
  });
}

/** x_ij − log Σₖ e^x_ik, m×n: finite where `log(softmax(x))` is not. */
export function logSoftmax(x: Variable): Variable {
  const tape = commonTape('logSoftmax', x);
  const out = tape.allocate(x.rows, x.columns);
  subtractRowMaximum(tape, x.value, out);
  const exponentials = tape.allocate(x.rows, x.columns);
  unary('exp', out, exponentials);
  const logTotal = tape.allocate(x.rows, 1);
  reduce('sum', exponentials, logTotal);
  unary('log', logTotal, logTotal);
  binary('subtract', out, logTotal, out);
  return tape.record(out, [x], (gradient, sink) => {
    // ∂x = g − e^y ∘ Σⱼ g
    const total = tape.allocate(x.rows, 1);
    reduce('sum', gradient, total);
    const contribution = tape.allocate(x.rows, x.columns);
    unary('exp', out, contribution);
    binary('multiply', contribution, total, contribution);
    binary('subtract', gradient, contribution, contribution);
    sink.give(x, contribution);
  });
}
