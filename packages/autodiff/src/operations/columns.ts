/** Concatenating, slicing and reshaping: copies, O(elements moved), forward and backward. */
import { axpy, copy, copyColumns, describeShape, fill } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Variable } from '../variable.ts';
import { commonTape } from './checks.ts';

/**
 * Variables of as many rows side by side.
 * @throws AutodiffError `shape` when the rows differ, `bad-option` for an empty list.
 */
export function concatColumns(list: readonly Variable[]): Variable {
  const [first, ...others] = list;
  if (first === undefined) {
    throw new AutodiffError('bad-option', 'concatColumns: the list is empty; give one variable at least');
  }
  const tape = commonTape('concatColumns', first, ...others);
  let columns = 0;
  for (const part of list) {
    if (part.rows !== first.rows) {
      throw new AutodiffError(
        'shape',
        `concatColumns: the first is ${describeShape(first)}, another is ${describeShape(part)}; the rows must agree`,
      );
    }
    columns += part.columns;
  }
  // The caller's list may change before backward does.
  const parts = [first, ...others];
  const out = tape.allocate(first.rows, columns);
  let offset = 0;
  for (const part of parts) {
    copyColumns(part.value, 0, out, offset, part.columns);
    offset += part.columns;
  }
  return tape.record(out, parts, (gradient, sink) => {
    let from = 0;
    for (const part of parts) {
      if (part.requiresGradient) {
        const contribution = tape.allocate(part.rows, part.columns);
        copyColumns(gradient, from, contribution, 0, part.columns);
        sink.give(part, contribution);
      }
      from += part.columns;
    }
  });
}

/** Columns first … first+count−1. @throws AutodiffError `shape` when x has not that many. */
export function sliceColumns(x: Variable, first: number, count: number): Variable {
  const tape = commonTape('sliceColumns', x);
  if (
    !Number.isSafeInteger(first) ||
    !Number.isSafeInteger(count) ||
    first < 0 ||
    count < 0 ||
    first + count > x.columns
  ) {
    throw new AutodiffError(
      'shape',
      `sliceColumns: ${count} columns from ${first} on were asked for, x is ${describeShape(x)}; stay within its ${x.columns} columns`,
    );
  }
  const out = tape.allocate(x.rows, count);
  copyColumns(x.value, first, out, 0, count);
  return tape.record(out, [x], (gradient, sink) => {
    const target = sink.target(x);
    if (target.beta === 0) {
      fill(0, target.out);
      copyColumns(gradient, 0, target.out, first, count);
    } else {
      // Only the columns concerned are taken out, added to and put back: many slices of one x cost no more than x.
      const columns = tape.allocate(x.rows, count);
      copyColumns(target.out, first, columns, 0, count);
      axpy(1, gradient, columns);
      copyColumns(columns, 0, target.out, first, count);
    }
  });
}

/** The same numbers, row by row, as rows×columns. @throws AutodiffError `shape` when the number of elements differs. */
export function reshape(x: Variable, rows: number, columns: number): Variable {
  const tape = commonTape('reshape', x);
  const valid = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows >= 0 && columns >= 0;
  if (!valid || rows * columns !== x.rows * x.columns) {
    throw new AutodiffError(
      'shape',
      `reshape: x is ${describeShape(x)}, ${rows}×${columns} was asked for; it must have ${x.rows * x.columns} elements`,
    );
  }
  const out = tape.allocate(rows, columns);
  copy(x.value, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(x.rows, x.columns);
    copy(gradient, contribution);
    sink.give(x, contribution);
  });
}
