/**
 * `bench rows`: the fused row kernels beside the kernels that they replace, at the sizes of a minibatch of documents: the
 * update of a table's rows with moments, and a bag of features.
 */
import {
  createMatrixFrom,
  fill,
  gatherRows,
  scaleRows,
  scatterAddRows,
  scatterRows,
  Scope,
  sparseTimesRows,
  updateMatrix,
  updateRows,
  Workspace,
  writeIndices,
  type Backend,
  type Indices,
  type MomentUpdate,
} from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import { BenchError } from '../measurement/bench-error.ts';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { timeInterleaved, timingOf, type TimedTask } from '../measurement/interleaved-timing.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';

export interface RowsOptions {
  /** Of the table. */
  readonly tableRows: number;
  readonly columns: number;
  /** Different rows in a minibatch. */
  readonly touched: number;
  /** Features of all documents of a minibatch together. */
  readonly entries: number;
  /** Documents. */
  readonly batch: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface RowKernelResult {
  readonly what: string;
  /** Milliseconds by the kernels that every backend has. */
  readonly composed: Spread;
  readonly fused: Spread;
  /** Of the medians. */
  readonly speedup: number;
}

export interface RowsReport {
  readonly bench: 'rows';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly sizes: Pick<RowsOptions, 'tableRows' | 'columns' | 'touched' | 'entries' | 'batch'>;
  readonly results: readonly RowKernelResult[];
}

const updates: readonly MomentUpdate[] = [
  { rule: 'momentum', learningRate: 1e-3, momentum: 0.9 },
  { rule: 'adagrad', learningRate: 1e-3, epsilon: 1e-8 },
  { rule: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 10 },
];
const sampleMs = 20;
const minibatches = 16;

interface Pair {
  readonly what: string;
  readonly composed: (minibatch: number) => void;
  readonly fused: (minibatch: number) => void;
}

export async function measureRows(backend: Backend, inUse: BackendInUse, options: RowsOptions): Promise<RowsReport> {
  const { tableRows, columns, touched, entries, batch, rounds, seconds } = options;
  if (touched > tableRows)
    throw new BenchError('bad-option', `touched is ${touched}, the table has ${tableRows} rows; touch as many at most`);
  using scope = new Scope(backend);
  const pairs = [...updates.map((update) => updatePair(scope, options, update)), ...bagPairs(scope, options)];
  const tasks = pairs.flatMap(({ what, composed, fused }): TimedTask[] => [
    { name: `${what}, composed`, run: repeat(backend, composed), sampleMs },
    { name: `${what}, fused`, run: repeat(backend, fused), sampleMs },
  ]);
  const timings = await timeInterleaved(tasks, { warmup: 3, rounds, seconds });
  return {
    bench: 'rows',
    machine: describeMachine(),
    backend: inUse,
    sizes: { tableRows, columns, touched, entries, batch },
    results: pairs.map(({ what }) => {
      const composed = timingOf(timings, `${what}, composed`);
      const fused = timingOf(timings, `${what}, fused`);
      return { what, composed, fused, speedup: composed.median / fused.median };
    }),
  };
}

function repeat(backend: Backend, body: (minibatch: number) => void): TimedTask['run'] {
  let minibatch = 0;
  return async (times) => {
    for (let i = 0; i < times; i++) body(minibatch++ % minibatches);
    await backend.synchronize();
  };
}

/** The update of `touched` rows and their moments. */
function updatePair(scope: Scope, { tableRows, columns, touched }: RowsOptions, update: MomentUpdate): Pair {
  const { backend } = scope;
  const random = new RandomGenerator(1);
  const table = scope.table(tableRows, columns);
  const moments = Array.from({ length: update.rule === 'adam' ? 2 : 1 }, () => scope.table(tableRows, columns));
  const workspace = scope.own(new Workspace(backend));
  const gradient = scope.own(
    createMatrixFrom(
      backend,
      touched,
      columns,
      Float64Array.from({ length: touched * columns }, () => random.normal()),
    ),
  );
  const lists = Array.from({ length: minibatches }, () => {
    const rows = new Set<number>();
    while (rows.size < touched) rows.add(Math.floor(random.uniform() * tableRows));
    return listOf(scope, [...rows]);
  });
  const value = scope.matrix(touched, columns);
  const scratch = scope.matrix(touched, columns);
  const gathered = moments.map(() => scope.matrix(touched, columns));
  return {
    what: `${update.rule} of ${touched} rows`,
    composed: (minibatch) => {
      const list = listAt(lists, minibatch);
      gatherRows(table, list, value);
      for (const [i, moment] of moments.entries()) gatherRows(moment, list, gathered[i] ?? value);
      updateMatrix(value, gradient, gathered, update, scratch);
      scatterRows(value, list, table);
      for (const [i, moment] of moments.entries()) scatterRows(gathered[i] ?? value, list, moment);
    },
    fused: (minibatch) => {
      updateRows(gradient, listAt(lists, minibatch), table, moments, update, workspace);
    },
  };
}

/** The bags of `batch` documents with `entries` features together, and the update of the table by plain SGD. */
function bagPairs(scope: Scope, { tableRows, columns, entries, batch }: RowsOptions): readonly Pair[] {
  const { backend } = scope;
  const random = new RandomGenerator(2);
  const table = scope.table(tableRows, columns);
  const values = scope.own(createMatrixFrom(backend, entries, 1, new Float64Array(entries).fill(0.2)));
  const documents = listOf(
    scope,
    Array.from({ length: entries }, (_, entry) => Math.floor((entry * batch) / entries)),
  );
  const lists = Array.from({ length: minibatches }, () =>
    listOf(
      scope,
      Array.from({ length: entries }, () => Math.floor(random.uniform() * tableRows)),
    ),
  );
  const gathered = scope.matrix(entries, columns);
  const out = scope.matrix(batch, columns);
  return [
    {
      what: `bags of ${entries} features`,
      composed: (minibatch) => {
        fill(0, out);
        gatherRows(table, listAt(lists, minibatch), gathered);
        scaleRows(gathered, values, gathered);
        scatterAddRows(gathered, documents, out);
      },
      fused: (minibatch) => {
        fill(0, out);
        const entryLists = { rowIndices: documents, columnIndices: listAt(lists, minibatch), values };
        sparseTimesRows(entryLists, table, out, () => gathered);
      },
    },
    {
      what: `sgd of ${entries} features`,
      composed: (minibatch) => {
        gatherRows(out, documents, gathered);
        scaleRows(gathered, values, gathered);
        scatterAddRows(gathered, listAt(lists, minibatch), table, { scale: -1e-3 });
      },
      fused: (minibatch) => {
        const entryLists = { rowIndices: listAt(lists, minibatch), columnIndices: documents, values };
        sparseTimesRows(entryLists, out, table, () => gathered, { scale: -1e-3 });
      },
    },
  ];
}

function listOf(scope: Scope, rows: readonly number[]): Indices {
  const list = scope.indices(rows.length);
  writeIndices(Int32Array.from(rows), list);
  return list;
}

function listAt(lists: readonly Indices[], minibatch: number): Indices {
  const list = lists[minibatch];
  if (list === undefined) throw new RangeError(`there is no minibatch ${minibatch}`);
  return list;
}
