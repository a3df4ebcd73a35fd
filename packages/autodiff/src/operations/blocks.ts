/**
 * Putting variables side by side or one below the other, and taking blocks of columns or rows out: copies, O(elements
 * moved), forward and backward. Rows are what a recurrent network takes out of a sequence step by step. Consecutive
 * rows are columns of the same numbers laid out as one row, so `copyColumns` moves them: no kernel of their own, no
 * list of indices.
 */
import { axpy, copyColumns, describeShape, fill, type Matrix } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import { commonTape, type Variable } from '../variable.ts';

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
        sink.add(part, contribution);
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
      // Only the columns of this slice are copied out, added to and copied back: many slices of one x cost no more than
      // x.
      const columns = tape.allocate(x.rows, count);
      copyColumns(target.out, first, columns, 0, count);
      axpy(1, gradient, columns);
      copyColumns(columns, 0, target.out, first, count);
    }
  });
}

/** out rows outFirst … = source rows sourceFirst …, `count` of them; both matrices have their old shapes afterwards. */
export function copyRows(source: Matrix, sourceFirst: number, out: Matrix, outFirst: number, count: number): void {
  const { rows, columns } = source;
  const { rows: outRows } = out;
  try {
    source.resize(1, rows * columns);
    out.resize(1, outRows * columns);
    copyColumns(source, sourceFirst * columns, out, outFirst * columns, count * columns);
  } finally {
    source.resize(rows, columns);
    out.resize(outRows, columns);
  }
}

/**
 * Rows first … first+count−1 of x. O(count·n), and O(m·n) once backward.
 * @throws AutodiffError `shape` when x has not that many.
 */
export function sliceRows(x: Variable, first: number, count: number): Variable {
  const tape = commonTape('sliceRows', x);
  if (
    !Number.isSafeInteger(first) ||
    !Number.isSafeInteger(count) ||
    first < 0 ||
    count < 0 ||
    first + count > x.rows
  ) {
    throw new AutodiffError(
      'shape',
      `sliceRows: ${count} rows from ${first} on were asked for, x is ${describeShape(x)}; stay within its ${x.rows} rows`,
    );
  }
  const out = tape.allocate(count, x.columns);
  copyRows(x.value, first, out, 0, count);
  return tape.record(out, [x], (gradient, sink) => {
    const target = sink.target(x);
    if (target.beta === 0) {
      fill(0, target.out);
      copyRows(gradient, 0, target.out, first, count);
      return;
    }
    // Only the rows of this slice are copied out, added to and copied back: many slices of one x cost no more than x.
    const collected = tape.allocate(count, x.columns);
    copyRows(target.out, first, collected, 0, count);
    axpy(1, gradient, collected);
    copyRows(collected, 0, target.out, first, count);
  });
}

/**
 * Variables of as many columns one below the other.
 * @throws AutodiffError `shape` when the columns differ, `bad-option` for an empty list.
 */
export function concatRows(list: readonly Variable[]): Variable {
  const [head, ...others] = list;
  if (head === undefined)
    throw new AutodiffError('bad-option', 'concatRows: the list is empty; give one variable at least');
  const tape = commonTape('concatRows', head, ...others);
  let rows = 0;
  for (const part of list) {
    if (part.columns !== head.columns) {
      throw new AutodiffError(
        'shape',
        `concatRows: the first is ${describeShape(head)}, another is ${describeShape(part)}; the columns must agree`,
      );
    }
    rows += part.rows;
  }
  // The caller's list may change before backward does.
  const parts = [head, ...others];
  const out = tape.allocate(rows, head.columns);
  let offset = 0;
  for (const part of parts) {
    copyRows(part.value, 0, out, offset, part.rows);
    offset += part.rows;
  }
  return tape.record(out, parts, (gradient, sink) => {
    let from = 0;
    for (const part of parts) {
      if (part.requiresGradient) {
        const contribution = tape.allocate(part.rows, part.columns);
        copyRows(gradient, from, contribution, 0, part.rows);
        sink.add(part, contribution);
      }
      from += part.rows;
    }
  });
}
