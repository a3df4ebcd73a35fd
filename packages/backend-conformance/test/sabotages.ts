/**
 * The plain backend, broken in one way at a time. A kernel is replaced on the instance, so that the handles it makes
 * still point to it. `caughtBy` lists cases that must fail; others may fail too.
 */
import {
  drawNormalRows,
  Indices,
  isMatrix,
  Matrix,
  RowTable,
  TablePieces,
  unaryFunctions,
  type Backend,
  type FloatArray,
} from '@vastmax/linalg-core';

export interface Sabotage {
  readonly name: string;
  readonly caughtBy: readonly string[];
  readonly apply: (backend: Backend) => void;
}

const dataOf = (matrix: Matrix): FloatArray => matrix.storage as FloatArray;
const sizeOf = (matrix: Matrix): number => matrix.rows * matrix.columns;

/** Replace kernels; the originals are bound. */
function replace(make: (original: Backend) => Partial<Backend>): (backend: Backend) => void {
  return (backend) => {
    const original = new Proxy(backend, {
      get: (target, key) => {
        const member: unknown = Reflect.get(Object.getPrototypeOf(target) as object, key, target);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const replaced = make(original);
    for (const key of Object.keys(replaced)) {
      Object.defineProperty(backend, key, { value: Reflect.get(replaced, key), configurable: true });
    }
  };
}

function roundAll(matrix: Matrix, round: (value: number) => number): void {
  const data = dataOf(matrix);
  for (let i = 0; i < sizeOf(matrix); i++) data[i] = round(data[i]!);
}

/** Eight bits of significand. */
function toBfloat16(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
  return Math.round(value / unit) * unit;
}

function eliminateWithoutPivoting(a: Matrix, b: Matrix, out: Matrix): void {
  const n = a.rows;
  const columns = b.columns;
  const left = Float64Array.from(dataOf(a).subarray(0, n * n));
  const right = Float64Array.from(dataOf(b).subarray(0, n * columns));
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = left[i * n + k]! / left[k * n + k]!;
      for (let j = 0; j < n; j++) left[i * n + j]! -= factor * left[k * n + j]!;
      for (let j = 0; j < columns; j++) right[i * columns + j]! -= factor * right[k * columns + j]!;
    }
  }
  for (let i = 0; i < n * columns; i++) dataOf(out)[i] = right[i]! / left[Math.floor(i / columns) * (n + 1)]!;
}

function rewritten(backend: Backend, indices: Indices, change: (values: Int32Array) => Int32Array): Indices {
  const copy = new Indices(backend, indices.capacity, undefined);
  const values = change(indices.values.slice(0, indices.count));
  copy.take(values, values.length);
  return copy;
}

export const sabotages: readonly Sabotage[] = [
  {
    name: 'gemm ignores transposeA',
    caughtBy: ['gemm/transpose-a/small', 'gemm/transpose-both/edge-tiles'],
    apply: replace((to) => ({ gemm: (a, b, out, settings) => to.gemm(a, b, out, { ...settings, transposeA: false }) })),
  },
  {
    name: 'gemm ignores transposeB',
    caughtBy: ['gemm/transpose-b/small', 'gemm/transpose-both/large'],
    apply: replace((to) => ({ gemm: (a, b, out, settings) => to.gemm(a, b, out, { ...settings, transposeB: false }) })),
  },
  {
    name: 'gemm with beta 0 reads out',
    caughtBy: ['gemm/no-transpose/beta-zero-never-reads-out', 'gemm/transpose-both/beta-zero-never-reads-out'],
    apply: replace((to) => ({
      gemm: (a, b, out, settings) => {
        roundAll(out, (value) => settings.beta * value);
        to.gemm(a, b, out, { ...settings, beta: 1 });
      },
    })),
  },
  {
    name: 'gemm drops the last column of an edge tile',
    caughtBy: ['gemm/no-transpose/edge-tiles', 'gemm/transpose-a/small'],
    apply: replace((to) => ({
      gemm: (a, b, out, settings) => {
        to.gemm(a, b, out, settings);
        if (out.columns % 4 === 0) return;
        for (let row = 0; row < out.rows; row++) dataOf(out)[(row + 1) * out.columns - 1] = 0;
      },
    })),
  },
  {
    name: 'gemm ignores alpha',
    caughtBy: ['gemm/no-transpose/alpha-beta'],
    apply: replace((to) => ({ gemm: (a, b, out, settings) => to.gemm(a, b, out, { ...settings, alpha: 1 }) })),
  },
  {
    name: 'gemm leaves out alone when the inner dimension is 0',
    caughtBy: ['gemm/no-transpose/empty', 'gemm/transpose-b/beta-zero-never-reads-out'],
    apply: replace((to) => ({
      gemm: (a, b, out, settings) => {
        if ((settings.transposeA ? a.rows : a.columns) > 0) to.gemm(a, b, out, settings);
      },
    })),
  },
  {
    name: 'gemm rounds to bfloat16',
    caughtBy: ['gemm/no-transpose/small', 'gemm/transpose-b/large'],
    apply: replace((to) => ({
      gemm: (a, b, out, settings) => {
        to.gemm(a, b, out, settings);
        roundAll(out, toBfloat16);
      },
    })),
  },
  {
    name: 'rowDot rounds to bfloat16',
    caughtBy: ['row-dot/sizes'],
    apply: replace((to) => ({
      rowDot: (a, b, out) => {
        to.rowDot(a, b, out);
        roundAll(out, toBfloat16);
      },
    })),
  },
  {
    name: 'write stores bfloat16',
    caughtBy: ['storage/precision', 'storage/write-read-round-trip'],
    apply: replace((to) => ({
      write: (values, out) => {
        to.write(values, out);
        roundAll(out, toBfloat16);
      },
    })),
  },
  {
    name: 'read returns a late value',
    caughtBy: ['order/read-as-of-the-call'],
    apply: replace((to) => ({
      read: async (source, out) => {
        await Promise.resolve();
        await to.read(source, out);
      },
    })),
  },
  {
    name: 'readRows returns a late value',
    caughtBy: ['table/read-rows-as-of-the-call'],
    apply: replace((to) => ({
      readRows: async (table, first, count, out) => {
        await Promise.resolve();
        await to.readRows(table, first, count, out);
      },
    })),
  },
  {
    name: 'gather is off by one',
    caughtBy: ['gather-rows/matrix', 'gather-rows/table'],
    apply: replace((to) => ({
      gatherRows: (source, indices, out) =>
        to.gatherRows(
          source,
          rewritten(out.backend, indices, (values) => values.map((row) => Math.max(0, row - 1))),
          out,
        ),
    })),
  },
  {
    name: 'scatterAdd drops duplicates',
    caughtBy: ['scatter-add-rows/matrix/repeated-accumulate', 'scatter-add-rows/table/repeated-accumulate'],
    apply: replace((to) => ({
      scatterAddRows: (source, indices, scale, destination) => {
        const seen = new Set<number>();
        const kept = Array.from(
          indices.values.subarray(0, indices.count),
          (row) => !seen.has(row) && seen.add(row).size > 0,
        );
        const masked = new Matrix(source.backend, source.rows, source.columns, dataOf(source).slice());
        for (let i = 0; i < sizeOf(source); i++)
          if (kept[Math.floor(i / source.columns)] === false) dataOf(masked)[i] = 0;
        to.scatterAddRows(masked, indices, scale, destination);
      },
    })),
  },
  {
    name: 'scatterAdd adds in another order each time',
    caughtBy: ['scatter-add-rows/matrix/deterministic', 'scatter-add-rows/table/deterministic'],
    apply: replace((to) => {
      let calls = 0;
      return {
        scatterAddRows: (source, indices, scale, destination) => {
          if (calls++ % 2 === 0) {
            to.scatterAddRows(source, indices, scale, destination);
            return;
          }
          const { columns } = source;
          const turned = new Matrix(source.backend, source.rows, columns, dataOf(source).slice());
          for (let i = 0; i < sizeOf(source); i++) {
            dataOf(turned)[i] = dataOf(source)[(source.rows - 1 - Math.floor(i / columns)) * columns + (i % columns)]!;
          }
          to.scatterAddRows(
            turned,
            rewritten(source.backend, indices, (values) => values.reverse()),
            scale,
            destination,
          );
        },
      };
    }),
  },
  {
    name: 'scatterRows takes the first of repeated indices',
    caughtBy: ['scatter-rows/matrix/repeated-takes-the-last', 'scatter-rows/table/repeated-takes-the-last'],
    apply: replace((to) => ({
      scatterRows: (source, indices, destination) => {
        to.scatterRows(source, indices, destination);
        const first = indices.values.indexOf(indices.values[indices.count - 1]!);
        if (first === -1 || indices.count === 0) return;
        const row = new Matrix(source.backend, 1, source.columns, dataOf(source).slice(first * source.columns));
        to.scatterRows(
          row,
          rewritten(source.backend, indices, (values) => values.slice(-1)),
          destination,
        );
      },
    })),
  },
  {
    name: 'release leaks',
    caughtBy: ['dispose/idempotent', 'memory/counts-live-handles', 'gemm/no-transpose/small', 'errors/aliasing'],
    apply: replace(() => ({ release: () => undefined })),
  },
  {
    name: 'disposed memory is handed out dirty',
    caughtBy: ['storage/reused-memory-is-zero'],
    apply: replace((to) => {
      const dirty = new Set<number>();
      return {
        createMatrix: (rows, columns) => {
          const matrix = to.createMatrix(rows, columns);
          if (dirty.has(rows * columns)) dataOf(matrix).fill(5);
          return matrix;
        },
        release: (handle: Matrix | RowTable | Indices) => {
          if (isMatrix(handle)) dirty.add(handle.capacity);
          to.release(handle);
        },
      };
    }),
  },
  {
    name: 'maximum ignores NaN',
    caughtBy: ['reduce/maximum/keeps-nan'],
    apply: replace((to) => ({
      reduce: (operation, x, out) => {
        if (operation !== 'maximum') {
          to.reduce(operation, x, out);
          return;
        }
        const cleaned = dataOf(x).map((value) => (Number.isNaN(value) ? -Infinity : value));
        to.reduce(operation, new Matrix(x.backend, x.rows, x.columns, cleaned), out);
      },
    })),
  },
  {
    name: 'maximum starts from 0',
    caughtBy: ['reduce/maximum/all-negative', 'reduce/maximum/rows/empty'],
    apply: replace((to) => ({
      reduce: (operation, x, out) => {
        to.reduce(operation, x, out);
        if (operation === 'maximum') roundAll(out, (value) => Math.max(value, 0));
      },
    })),
  },
  {
    name: 'a row is broadcast as a column where both fit',
    caughtBy: ['binary/add/row', 'binary/divide/row'],
    apply: replace((to) => ({
      binary: (operation, a, b, out) => {
        const turn = a.rows === a.columns && b.rows === 1 && b.columns > 1;
        to.binary(operation, a, turn ? new Matrix(b.backend, b.columns, 1, b.storage) : b, out);
      },
    })),
  },
  {
    name: 'divide multiplies by a reciprocal of too few bits',
    caughtBy: ['binary/divide/full'],
    apply: replace((to) => ({
      binary: (operation, a, b, out) => {
        to.binary(operation, a, b, out);
        if (operation === 'divide') roundAll(out, (value) => value * (1 + 2 ** -18));
      },
    })),
  },
  {
    name: 'gelu by its tanh approximation',
    caughtBy: ['unary/gelu/sampled', 'unary/gelu/in-place'],
    apply: replace((to) => ({
      unary: (operation, x, out) => {
        if (operation !== 'gelu') {
          to.unary(operation, x, out);
          return;
        }
        const from = dataOf(x);
        for (let i = 0; i < sizeOf(out); i++) {
          const value = from[i]!;
          dataOf(out)[i] = 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
        }
      },
    })),
  },
  {
    name: 'softplus overflows',
    caughtBy: ['unary/softplus/extremes'],
    apply: replace((to) => ({
      unary: (operation, x, out) => {
        to.unary(operation, x, out);
        if (operation === 'softplus') roundAll(out, (value) => (value > 700 ? Infinity : value));
      },
    })),
  },
  {
    name: 'relu turns NaN into 0',
    caughtBy: ['unary/relu/nan'],
    apply: replace((to) => ({
      unary: (operation, x, out) => {
        to.unary(operation, x, out);
        if (operation === 'relu') roundAll(out, (value) => (Number.isNaN(value) ? 0 : value));
      },
    })),
  },
  {
    name: 'a unary kernel clears out first, so that it cannot work in place',
    caughtBy: ['unary/exp/in-place', 'unary/tanh/in-place'],
    apply: replace((to) => ({
      unary: (operation, x, out) => {
        dataOf(out).fill(0, 0, sizeOf(out));
        to.unary(operation, x, out);
      },
    })),
  },
  {
    name: 'solve without pivoting',
    caughtBy: ['solve/needs-pivoting'],
    apply: replace((to) => ({
      solve: (a, b, out, reciprocalCondition) => {
        to.solve(a, b, out, reciprocalCondition);
        eliminateWithoutPivoting(a, b, out);
      },
    })),
  },
  {
    name: 'the condition estimate is a constant',
    caughtBy: ['solve/condition-tracks-a-diagonal', 'solve/singular-has-condition-zero', 'solve/random'],
    apply: replace((to) => ({
      solve: (a, b, out, reciprocalCondition) => {
        to.solve(a, b, out, reciprocalCondition);
        dataOf(reciprocalCondition)[0] = 0.1;
      },
    })),
  },
  {
    name: 'growTable zeroes the old rows',
    caughtBy: ['table/grow-keeps-old-rows-and-zeroes-new-ones', 'table/grows-across-pieces'],
    apply: replace((to) => ({
      growTable: (table, rows) => {
        to.growTable(table, rows);
        to.writeRows(new Float64Array(table.rows * table.columns), 0, table.rows, table);
      },
    })),
  },
  {
    name: 'rows past the first piece wrap around',
    caughtBy: ['table/larger-than-one-piece/rows', 'table/larger-than-one-piece/blocks'],
    apply: replace((to) => ({
      writeRows: (values, first, count, table) =>
        to.writeRows(values, first >= 2 ** 20 ? first - 2 ** 20 : first, count, table),
    })),
  },
  {
    name: 'gather takes the indices as they are later',
    caughtBy: ['order/indices-rewritten-after-the-call', 'gather-rows/matrix'],
    apply: replace((to) => ({
      gatherRows: (source, indices, out) => {
        void Promise.resolve().then(() => to.gatherRows(source, indices, out));
      },
    })),
  },
  {
    name: 'write keeps the array of the host',
    caughtBy: ['order/write-copies-values'],
    apply: replace((to) => {
      const pending = new Map<Matrix, ArrayLike<number>>();
      return {
        write: (values, out) => {
          to.write(values, out);
          pending.set(out, values);
        },
        fill: (value, out) => {
          pending.delete(out);
          to.fill(value, out);
        },
        read: (source, out) => {
          const values = pending.get(source);
          if (values?.length === sizeOf(source)) to.write(values, source);
          return to.read(source, out);
        },
      };
    }),
  },
  {
    name: 'copyColumns copies whole rows',
    caughtBy: ['copy-columns/ranges'],
    apply: replace((to) => ({
      copyColumns: (source, sourceColumn, out, outColumn) =>
        to.copyColumns(
          source,
          sourceColumn,
          out,
          outColumn,
          Math.min(source.columns - sourceColumn, out.columns - outColumn),
        ),
    })),
  },
  {
    name: 'the fused update mirrors beta·out',
    caughtBy: ['symmetric-rank-2-update/no-transpose/accumulate', 'symmetric-rank-2-update/transpose/alpha-beta'],
    apply: replace((to) => ({
      symmetricRank2Update: (a, b, out, settings) => {
        to.symmetricRank2Update?.(a, b, out, settings);
        const data = dataOf(out);
        for (let i = 0; i < out.rows; i++) for (let j = 0; j < i; j++) data[j * out.rows + i] = data[i * out.rows + j]!;
      },
    })),
  },
  {
    name: 'sparseTimesRows ignores the values',
    caughtBy: ['sparse-times-rows/table-to-matrix', 'sparse-times-rows/matrix-to-table'],
    apply: replace((to) => ({
      sparseTimesRows: (rows, columns, _values, source, scale, out) => {
        to.sparseTimesRows?.(rows, columns, undefined, source, scale, out);
      },
    })),
  },
  {
    name: 'sparseTimesRows takes the lists for each other',
    caughtBy: ['sparse-times-rows/matrix-to-matrix', 'sparse-times-rows/table-to-table'],
    apply: replace((to) => ({
      sparseTimesRows: (rows, columns, values, source, scale, out) => {
        const within = (list: Indices, limit: number): Indices =>
          rewritten(out.backend, list, (numbers) => numbers.map((row) => row % limit));
        to.sparseTimesRows?.(within(columns, out.rows), within(rows, source.rows), values, source, scale, out);
      },
    })),
  },
  {
    name: 'gatheredRowDot takes the rows of b in their order',
    caughtBy: ['gathered-row-dot/matrix-and-table', 'gathered-row-dot/matrix-and-matrix'],
    apply: replace((to) => ({
      gatheredRowDot: (a, aIndices, b, bIndices, out) => {
        const inOrder = rewritten(out.backend, bIndices, (numbers) => numbers.map((_, i) => i % b.rows));
        to.gatheredRowDot?.(a, aIndices, b, inOrder, out);
      },
    })),
  },
  {
    name: 'exponentiateRanges says that it can use a table in place, and does nothing',
    caughtBy: ['row-ranges/exponentiate', 'row-ranges/pieces'],
    apply: replace(() => ({ exponentiateRanges: () => true })),
  },
  {
    name: 'leastSquaresRows does nothing',
    caughtBy: ['least-squares-rows/plain', 'least-squares-rows/weighted'],
    apply: replace(() => ({ leastSquaresRows: () => true })),
  },
  {
    name: 'combineRanges does nothing',
    caughtBy: ['row-ranges/combine', 'row-ranges/pieces'],
    apply: replace(() => ({ combineRanges: () => true })),
  },
  {
    name: 'updateRanges leaves out all but the first range',
    caughtBy: ['row-ranges/update', 'row-ranges/update-of-a-matrix'],
    apply: replace((to) => ({
      updateRanges: (factors, source, sources, starts, scale, out) => {
        const first = starts.values[0];
        const row = sources.values[0];
        if (first === undefined || row === undefined || factors.rows === 0) return true;
        for (let j = 0; j < factors.columns && first + j < out.rows; j++) {
          const factor = new Matrix(source.backend, 1, 1, dataOf(factors).slice(j, j + 1));
          const one = (value: number): Indices => rewritten(out.backend, starts, () => Int32Array.of(value));
          to.sparseTimesRows?.(one(first + j), one(row), factor, source, scale, out);
        }
        return true;
      },
    })),
  },
  {
    name: 'quantizeRows stores a distance of half the size',
    caughtBy: ['quantized-rows/sizes', 'quantized-rows/extremes'],
    apply: replace((to) => ({
      quantizeRows: (source, first, count, codes, factors) => {
        to.quantizeRows?.(source, first, count, codes, factors);
        for (const piece of (factors.storage as TablePieces).pieces)
          for (let i = 1; i < piece.length; i += 2) piece[i]! /= 2;
        return true;
      },
    })),
  },
  {
    name: 'quantizedProducts begins at the first row',
    caughtBy: ['quantized-rows/sizes', 'quantized-rows/pieces'],
    apply: replace((to) => ({
      quantizedProducts: (codes, factors, _first, query, out, settings) =>
        to.quantizedProducts?.(codes, factors, 0, query, out, settings) ?? false,
    })),
  },
  {
    name: 'fillNormalRows counts rows from the first one that it fills',
    caughtBy: ['normal-rows/ranges', 'normal-rows/pieces'],
    apply: replace((to) => ({
      fillNormalRows: (table, firstRow, count, columns, keys, scale) => {
        const values = new Float64Array(count * table.columns);
        drawNormalRows(keys, 0, count, scale, columns, values, table.columns);
        to.writeRows(values, firstRow, count, table);
        return true;
      },
    })),
  },
  {
    name: 'exponentiateRows forgets the maximum',
    caughtBy: ['exponentiate-rows/up-to-1', 'exponentiate-rows/special-numbers'],
    apply: replace((to) => ({
      exponentiateRows: (x, maxima, sums) => {
        to.unary('exp', x, x);
        to.reduce('maximum', x, maxima);
        to.reduce('sum', x, sums);
      },
    })),
  },
  {
    name: 'viewRows copies the rows',
    caughtBy: ['view-rows/read', 'view-rows/write', 'view-rows/products'],
    apply: replace((to) => ({
      viewRows: (table, first, count) => {
        const view = to.viewRows?.(table, first, count);
        if (view === undefined) return undefined;
        return new Matrix(view.backend, count, table.columns, dataOf(view).slice(), table);
      },
    })),
  },
  {
    name: 'viewRows begins a row late',
    caughtBy: ['view-rows/read', 'view-rows/pieces'],
    apply: replace((to) => ({
      viewRows: (table, first, count) => to.viewRows?.(table, Math.min(first + 1, table.rows - count), count),
    })),
  },
  {
    name: 'updateRows forgets the moments',
    caughtBy: ['update-rows/momentum/sizes', 'update-rows/adagrad/sizes', 'update-rows/adam/sizes'],
    apply: replace((to) => ({
      updateRows: (gradient, indices, table, moments, update) => {
        const copies = moments.map((moment) => {
          const copy = new TablePieces(moment.columns, to.precision);
          copy.grow(moment.rows);
          for (const [i, piece] of (moment.storage as TablePieces).pieces.entries()) copy.pieces[i]?.set(piece);
          return new RowTable(moment.backend, moment.rows, moment.columns, copy);
        });
        to.updateRows?.(gradient, indices, table, copies, update);
      },
    })),
  },
  {
    name: "updateRows does not correct Adam's bias",
    caughtBy: ['update-rows/adam/sizes'],
    apply: replace((to) => ({
      updateRows: (gradient, indices, table, moments, update) => {
        to.updateRows?.(gradient, indices, table, moments, update.rule === 'adam' ? { ...update, step: 1000 } : update);
      },
    })),
  },
  {
    name: 'updateRows also changes the row before',
    caughtBy: ['update-rows/momentum/sizes', 'update-rows/table-of-several-pieces'],
    apply: replace((to) => ({
      updateRows: (gradient, indices, table, moments, update) => {
        to.updateRows?.(gradient, indices, table, moments, update);
        const before = rewritten(table.backend, indices, (values) =>
          values.map((row) => Math.max(0, row - 1)).filter((row) => !indices.values.includes(row)),
        );
        const rows = new Matrix(gradient.backend, before.count, gradient.columns, dataOf(gradient));
        to.updateRows?.(rows, before, table, moments, update);
      },
    })),
  },
  {
    name: 'readSync fills out after it has returned',
    caughtBy: ['read-sync/after-pending-work', 'read-sync/as-of-the-call', 'read-sync/resized'],
    apply: replace((to) => ({
      readSync: (source, out) => {
        queueMicrotask(() => to.readSync?.(source, out));
      },
    })),
  },
  {
    name: 'readSync gives the numbers of the call before',
    caughtBy: ['read-sync/as-of-the-call'],
    apply: replace((to) => {
      const earlier = new Map<Matrix, FloatArray>();
      return {
        readSync: (source, out) => {
          to.readSync?.(source, out);
          const now = out.slice(0, sizeOf(source));
          out.set(earlier.get(source) ?? now);
          earlier.set(source, now);
        },
      };
    }),
  },
  {
    name: 'readSync copies all numbers of a resized matrix',
    caughtBy: ['read-sync/resized'],
    apply: replace(() => ({
      readSync: (source, out) => {
        out.set(dataOf(source).subarray(0, out.length));
      },
    })),
  },
  {
    name: 'the guard holds nothing',
    caughtBy: ['guard/held/zero', 'guard/held/nan', 'guard/computed-flag'],
    apply: replace(() => ({ guard: () => undefined })),
  },
  {
    name: 'the guard takes NaN for above 0',
    caughtBy: ['guard/held/nan'],
    apply: replace((to) => ({
      guard: (flag) => {
        const value = flag === undefined ? 1 : dataOf(flag)[0]!;
        if (flag === undefined || !(value <= 0)) to.guard?.(undefined);
        else to.guard?.(flag);
      },
    })),
  },
  {
    name: 'the guard never ends',
    caughtBy: ['guard/as-of-the-call'],
    apply: replace((to) => ({
      guard: (flag) => {
        if (flag !== undefined) to.guard?.(flag);
      },
    })),
  },
  {
    name: 'fill covers the whole room of a resized matrix',
    caughtBy: ['resize/kernels-stay-within-the-shape'],
    apply: replace(() => ({
      fill: (value, out) => {
        dataOf(out).fill(value);
      },
    })),
  },
  {
    name: 'sigmoid takes the wrong sign for large x',
    caughtBy: ['unary/sigmoid/extremes'],
    apply: replace((to) => ({
      unary: (operation, x, out) => {
        to.unary(operation, x, out);
        if (operation === 'sigmoid') {
          const from = dataOf(x);
          for (let i = 0; i < sizeOf(out); i++) if (from[i]! > 50) dataOf(out)[i] = unaryFunctions.sigmoid(-from[i]!);
        }
      },
    })),
  },
];
