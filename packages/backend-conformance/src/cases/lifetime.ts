/**
 * Rule 3: the creator disposes; disposal is idempotent, and later use throws a typed error. Also: two instances are
 * independent.
 */
import {
  axpy,
  copy,
  fill,
  gatherRows,
  gemm,
  growTable,
  read,
  readRows,
  scatterAddRows,
  write,
  writeIndices,
  writeRows,
  type Backend,
} from '@vastmax/linalg-core';
import { expectRejects, expectSame, expectThrows, expectTrue } from '../comparison.ts';
import { ruleCase, type ConformanceCase } from '../conformance-case.ts';

const disposal = 'disposal is idempotent, later use throws';
const instances = 'two instances stay apart';

export const lifetimeCases: readonly ConformanceCase[] = [
  ruleCase('dispose/idempotent', disposal, async ({ backend }) => {
    const before = backend.memory();
    for (const handle of [backend.createMatrix(3, 3), backend.createTable(4, 2), backend.createIndices(5)]) {
      handle[Symbol.dispose]();
      handle[Symbol.dispose]();
      expectTrue('disposed is false after disposal', handle.disposed);
    }
    const after = backend.memory();
    for (const key of ['matrices', 'tables', 'indices', 'bytes'] as const) {
      expectTrue(
        `memory().${key} is ${after[key]} after disposing twice, was ${before[key]}`,
        after[key] === before[key],
      );
    }
    await Promise.resolve();
  }),
  ruleCase('dispose/use-after-throws', disposal, async ({ backend, scope }) => {
    const live = scope.matrix(3, 3);
    const matrix = backend.createMatrix(3, 3);
    const table = backend.createTable(4, 3);
    const indices = backend.createIndices(3);
    const list = scope.indices(3);
    writeIndices(Int32Array.of(0, 1, 2), list);
    for (const handle of [matrix, table, indices]) handle[Symbol.dispose]();
    const uses: Readonly<Record<string, () => unknown>> = {
      fill: () => fill(1, matrix),
      write: () => write(new Float32Array(9), matrix),
      copy: () => copy(matrix, live),
      gemm: () => gemm(live, matrix, scope.matrix(3, 3)),
      axpy: () => axpy(1, matrix, live),
      resize: () => matrix.resize(1, 1),
      writeIndices: () => writeIndices(Int32Array.of(1), indices),
      writeRows: () => writeRows(new Float32Array(3), 0, table),
      growTable: () => growTable(table, 9),
      gatherRows: () => gatherRows(table, list, live),
      scatterAddRows: () => scatterAddRows(live, indices, live),
    };
    for (const [operation, use] of Object.entries(uses)) {
      expectThrows(`${operation} after disposal`, 'disposed', [operation], use);
    }
    await expectRejects('read after disposal', 'disposed', ['read'], () => read(matrix));
    await expectRejects('readRows after disposal', 'disposed', ['readRows'], () => readRows(table, 0, 1));
  }),
  ruleCase('dispose/backend', disposal, async ({ createBackend }) => {
    const backend = await createBackend();
    const matrix = backend.createMatrix(2, 2);
    await backend.dispose();
    await backend.dispose();
    expectTrue('disposed is false on a disposed backend', backend.disposed);
    expectThrows('createMatrix on a disposed backend', 'disposed', [backend.name], () => backend.createMatrix(1, 1));
    expectThrows('createTable on a disposed backend', 'disposed', [backend.name], () => backend.createTable(1, 1));
    expectThrows('createIndices on a disposed backend', 'disposed', [backend.name], () => backend.createIndices(1));
    expectThrows('fill on a disposed backend', 'disposed', ['fill', backend.name], () => fill(1, matrix));
    matrix[Symbol.dispose]();
  }),
  ruleCase('dispose/backend-leaves-the-other', instances, async ({ backend, scope, createBackend }) => {
    const matrix = scope.matrix(2, 2);
    const other = await createBackend();
    using elsewhere = other.createMatrix(2, 2);
    fill(1, elsewhere);
    await other.dispose();
    fill(6, matrix);
    expectSame('on the first instance', await read(matrix), [6, 6, 6, 6]);
    expectTrue('disposing one instance disposed the other', !backend.disposed);
  }),
  ruleCase('instances/operands-of-two-are-refused', instances, async ({ backend, scope, createBackend }) => {
    const other: Backend = await createBackend();
    expectTrue('create() returned the same instance twice', other !== backend);
    const here = scope.matrix(3, 3);
    using there = other.createMatrix(3, 3);
    using list = other.createIndices(3);
    const both = [backend.name, other.name, 'two instances'];
    const uses: Readonly<Record<string, () => unknown>> = {
      gemm: () => gemm(here, there, scope.matrix(3, 3)),
      copy: () => copy(there, here),
      axpy: () => axpy(1, there, here),
      gatherRows: () => gatherRows(here, list, scope.matrix(0, 3)),
    };
    for (const [operation, use] of Object.entries(uses)) {
      expectThrows(`${operation} over two instances`, 'backend-mismatch', [operation, ...both], use);
    }
  }),
  ruleCase('instances/memory-is-their-own', instances, async ({ backend, createBackend }) => {
    const other = await createBackend();
    const before = backend.memory();
    using matrix = other.createMatrix(10, 10);
    fill(1, matrix);
    expectTrue('a matrix of one instance is counted by another', backend.memory().bytes === before.bytes);
    expectTrue('a matrix is not counted by its own instance', other.memory().matrices === 1);
  }),
  ruleCase('instances/work-side-by-side', instances, async ({ scope, createBackend }) => {
    const other = await createBackend();
    const here = scope.matrix(4, 4);
    using there = other.createMatrix(4, 4);
    fill(1, here);
    fill(2, there);
    const [first, second] = await Promise.all([read(here), read(there)]);
    expectSame('the first instance', first, new Float64Array(16).fill(1));
    expectSame('the second instance', second, new Float64Array(16).fill(2));
  }),
];
