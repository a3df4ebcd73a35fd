/**
 * Updates with moments: elementwise on matrices, and of the few rows of a table that a step touches. On rows a backend
 * may have one kernel that works in place; where it has none, the rows and their moments are gathered, changed and
 * scattered.
 */
import type { Indices, Matrix, RowTable } from './backend.ts';
import { LinalgError } from './errors.ts';
import type { MomentUpdate } from './kernel-types.ts';
import { affine, axpy, binary, gatherRows, scatterRows, unary } from './operations.ts';
import { checkAlive, checkFinite, checkIndices, checkOperand, checkShape, type Workspace } from './storage.ts';

/** How many moments a weight has under the rule. */
function countMoments({ rule }: MomentUpdate): number {
  return rule === 'adam' ? 2 : 1;
}

/**
 * Changes `value` and `moments`, all of one shape, in place. A few passes over the numbers.
 * @param gradient may be overwritten.
 * @param scratch of the same shape.
 */
export function updateMatrix(
  value: Matrix,
  gradient: Matrix,
  moments: readonly Matrix[],
  update: MomentUpdate,
  scratch: Matrix,
): void {
  checkMoments('updateMatrix', moments, update);
  const [first, second] = moments;
  if (first === undefined) return;
  const { learningRate } = update;
  switch (update.rule) {
    case 'momentum':
      affine(first, update.momentum, 0, first);
      axpy(1, gradient, first);
      axpy(-learningRate, first, value);
      return;
    case 'adagrad':
      unary('square', gradient, scratch);
      axpy(1, scratch, first);
      unary('sqrt', first, scratch);
      affine(scratch, 1, update.epsilon, scratch);
      binary('divide', gradient, scratch, gradient);
      axpy(-learningRate, gradient, value);
      return;
    case 'adam': {
      if (second === undefined) return;
      const { beta1, beta2, epsilon, step } = update;
      affine(first, beta1, 0, first);
      axpy(1 - beta1, gradient, first);
      unary('square', gradient, gradient);
      affine(second, beta2, 0, second);
      axpy(1 - beta2, gradient, second);
      affine(second, 1 / (1 - beta2 ** step), 0, scratch);
      unary('sqrt', scratch, scratch);
      affine(scratch, 1, epsilon, scratch);
      binary('divide', first, scratch, scratch);
      axpy(-learningRate / (1 - beta1 ** step), scratch, value);
    }
  }
}

/**
 * Changes the rows `indices` of `table` and of its moments by their gradients. O(count·columns), whatever the number of
 * rows of the table; nothing is allocated.
 * @param gradient count×columns; may be overwritten.
 * @param indices without repetitions: of a repeated row the result is undefined.
 * @param moments as many as the rule has, each at least as long as the table and as wide.
 * @param workspace for scratch, where the backend has no kernel for this.
 * @throws LinalgError `shape` when a width or a count differs, `index-out-of-range`, `bad-option` for a number of moments
 * that the rule does not have.
 */
export function updateRows(
  gradient: Matrix,
  indices: Indices,
  table: RowTable,
  moments: readonly RowTable[],
  update: MomentUpdate,
  workspace: Workspace,
): void {
  const operation = 'updateRows';
  const { backend, columns } = table;
  const { count } = indices;
  checkAlive(operation, 'table', table);
  checkOperand(operation, 'gradient', gradient, backend);
  checkOperand(operation, 'indices', indices, backend);
  checkShape(operation, 'gradient', gradient, count, columns);
  checkIndices(operation, indices, table.rows, 'the table');
  checkFinite(operation, 'learningRate', update.learningRate);
  checkMoments(operation, moments, update);
  for (const [index, moment] of moments.entries()) {
    checkOperand(operation, `moment ${index}`, moment, backend);
    checkIndices(operation, indices, moment.rows, `moment ${index}`);
    if (moment.columns !== columns) {
      throw new LinalgError(
        'shape',
        `${operation}: moment ${index} has ${moment.columns} columns, the table ${columns}; they must be equal`,
      );
    }
  }
  if (backend.updateRows) {
    backend.updateRows(gradient, indices, table, moments, update);
    return;
  }
  const gather = (what: string, source: RowTable): Matrix => {
    const rows = workspace.matrix(`update of ${what}`, count, columns);
    gatherRows(source, indices, rows);
    return rows;
  };
  const value = gather('rows', table);
  const gathered = moments.map((moment, index) => gather(`moment ${index}`, moment));
  const scratch = workspace.matrix('update scratch', count, columns);
  updateMatrix(value, gradient, gathered, update, scratch);
  scatterRows(value, indices, table);
  for (const [index, rows] of gathered.entries()) scatterRows(rows, indices, moments[index] ?? table);
}

function checkMoments(operation: string, moments: readonly unknown[], update: MomentUpdate): void {
  const expected = countMoments(update);
  if (moments.length !== expected) {
    throw new LinalgError(
      'bad-option',
      `${operation}: ${update.rule} has ${expected} ${expected === 1 ? 'moment' : 'moments'}, got ${moments.length}`,
    );
  }
}
