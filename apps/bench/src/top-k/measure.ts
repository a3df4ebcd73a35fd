/**
 * `bench top-k`: exact search for the k best by bounds and by scan, beside the time to read the vectors in 8 bits, the
 * product of many queries with all vectors, and a graph of neighbours where one is installed.
 */
import {
  createMatrixFrom,
  fill,
  multiplyRows,
  reduce,
  Scope,
  writeRows,
  Workspace,
  type Backend,
} from '@vastmax/linalg-core';
import { createTopKIndex, type TopKIndex } from '@vastmax/top-k';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { timeInterleaved, timingOf, type TimedTask } from '../measurement/interleaved-timing.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { createRival } from './rivals.ts';
import { randomVectors, trainedVectors, type SearchedVectors } from './vectors.ts';

export interface TopKOptions {
  readonly vectors: number;
  readonly width: number;
  readonly k: number;
  /** Of the many. */
  readonly queries: number;
  readonly trainSeconds: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly hnswlib?: string;
  readonly effort: number;
  readonly rivalVectors: number;
}

interface TopKRow {
  readonly data: string;
  readonly method: string;
  readonly vectors: number;
  readonly width: number;
  /** Queries of a call. */
  readonly queries: number;
  /** Milliseconds a query. */
  readonly medianMs: number;
  /** Milliseconds a query of the scan with as many queries. */
  readonly scanMs: number;
  /** Share of the k best of the scan that it found. */
  readonly recall: number;
  /** Scores computed in full for a query, where they are counted. */
  readonly scored?: number;
}

export interface TopKReport {
  readonly bench: 'top-k';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly k: number;
  readonly rows: readonly TopKRow[];
  readonly notes: readonly string[];
}

/** Single queries that are searched in turn. */
const singles = 16;
/** Several queries a sample. */
const sampleMs = 100;
const seed = 1;

export async function measureTopK(
  backend: Backend,
  inUse: BackendInUse,
  options: TopKOptions,
  show: ShowStage,
): Promise<TopKReport> {
  const rows: TopKRow[] = [];
  const notes: string[] = [];
  const sizes = { count: options.vectors, width: options.width, queries: options.queries + singles, seed };
  for (const data of ['trained', 'random'] as const) {
    show(data, 'making vectors');
    const made =
      data === 'random'
        ? randomVectors(sizes)
        : await trainedVectors(backend, sizes, options.trainSeconds, (detail) => show(data, detail));
    await measureSet(backend, made, options, rows, notes, (detail) => show(data, detail));
  }
  return { bench: 'top-k', machine: describeMachine(), backend: inUse, k: options.k, rows, notes };
}

async function measureSet(
  backend: Backend,
  { data, vectors, queries: all }: SearchedVectors,
  options: TopKOptions,
  rows: TopKRow[],
  notes: string[],
  show: (detail: string) => void,
): Promise<void> {
  const { width, k, rounds, seconds } = options;
  const count = vectors.length / width;
  const many = all.subarray(0, options.queries * width);
  const single = Array.from({ length: singles }, (_, i) =>
    all.slice((options.queries + i) * width, (options.queries + i + 1) * width),
  );
  using scope = new Scope(backend);
  const workspace = scope.own(new Workspace(backend));
  show('index');
  using index = await createTopKIndex(backend, width, vectors);
  const exact = await Promise.all(
    single.map(async (query) => (await index.search(query, k, { method: 'scan' })).indices),
  );

  const table = scope.table(count, width);
  writeRows(vectors, 0, table);
  const matrix = scope.own(createMatrixFrom(backend, options.queries, width, many));
  const products = scope.matrix(options.queries, 4096);
  const words = scope.matrix(1, Math.ceil((count * width) / 4));
  const sum = scope.matrix(1, 1);
  // Untouched zeros would all be one page of memory.
  fill(1, words);
  let next = 0;
  const eachQuery = (search: (query: Float32Array) => Promise<unknown>) => async (times: number) => {
    for (let i = 0; i < times; i++) await search(single[next++ % singles]!);
  };
  const tasks: TimedTask[] = [
    { name: 'bounds', sampleMs, run: eachQuery((query) => index.search(query, k, { method: 'bounds' })) },
    { name: 'scan', sampleMs, run: eachQuery((query) => index.search(query, k, { method: 'scan' })) },
    {
      name: 'reading 8 bits',
      sampleMs,
      run: (times) => {
        for (let i = 0; i < times; i++) reduce('sum', words, sum);
        return backend.synchronize();
      },
    },
    {
      name: 'scan of many',
      run: async (times) => {
        for (let i = 0; i < times; i++) await index.search(many, k, { method: 'scan' });
      },
    },
    {
      name: 'product of many',
      run: (times) => {
        for (let i = 0; i < times; i++) {
          for (let first = 0; first < count; first += 4096) {
            products.resize(options.queries, Math.min(4096, count - first));
            multiplyRows(matrix, table, first, products, workspace);
          }
        }
        return backend.synchronize();
      },
    },
  ];
  show('timing');
  const timings = await timeInterleaved(tasks, { warmup: 1, rounds, seconds });
  const medianOf = (name: string): number => timingOf(timings, name).median;
  const row = (method: string, queries: number, name: string, scan: string, recall: number, scored?: number): void => {
    rows.push({
      data,
      method,
      vectors: count,
      width,
      queries,
      medianMs: medianOf(name) / queries,
      scanMs: medianOf(scan) / queries,
      recall,
      ...(scored === undefined ? {} : { scored }),
    });
  };
  const bounds = await recallOf(index, single, exact, k, 'bounds');
  const scans = await recallOf(index, single, exact, k, 'scan');
  row('bounds', 1, 'bounds', 'scan', bounds.recall, bounds.scored);
  row('scan', 1, 'scan', 'scan', scans.recall, scans.scored);
  row('reading 8 bits', 1, 'reading 8 bits', 'scan', 0);
  row('scan', options.queries, 'scan of many', 'scan of many', 1);
  row('product', options.queries, 'product of many', 'scan of many', 0);
  await measureRival({ data, vectors, queries: all }, single, options, rows, notes, backend, show);
}

/** Over fewer vectors: a graph takes hours to build at a million. */
async function measureRival(
  { data, vectors }: SearchedVectors,
  single: readonly Float32Array[],
  { width, k, hnswlib, effort, rivalVectors, rounds, seconds }: TopKOptions,
  rows: TopKRow[],
  notes: string[],
  backend: Backend,
  show: (detail: string) => void,
): Promise<void> {
  const part = vectors.subarray(0, Math.min(vectors.length, rivalVectors * width));
  show('graph of neighbours');
  const rival = createRival(hnswlib, part, width, effort);
  if (typeof rival === 'string') {
    if (!notes.includes(rival)) notes.push(rival);
    return;
  }
  using index = await createTopKIndex(backend, width, part);
  let next = 0;
  const tasks: TimedTask[] = [
    {
      name: rival.method,
      sampleMs,
      run: (times) => {
        for (let i = 0; i < times; i++) rival.search(single[next++ % singles]!, k);
        return Promise.resolve();
      },
    },
    ...(['bounds', 'scan'] as const).map((method) => ({
      name: method,
      sampleMs,
      run: async (times: number) => {
        for (let i = 0; i < times; i++) await index.search(single[next++ % singles]!, k, { method });
      },
    })),
  ];
  const timings = await timeInterleaved(tasks, { warmup: 1, rounds, seconds });
  let found = 0;
  for (const query of single) {
    const { indices } = await index.search(query, k, { method: 'scan' });
    const own = new Set(rival.search(query, k));
    found += indices.reduce((sum, best) => sum + (own.has(best) ? 1 : 0), 0);
  }
  for (const method of [rival.method, 'bounds', 'scan']) {
    rows.push({
      data,
      method,
      vectors: part.length / width,
      width,
      queries: 1,
      medianMs: timingOf(timings, method).median,
      scanMs: timingOf(timings, 'scan').median,
      recall: method === rival.method ? found / (k * singles) : 1,
    });
  }
}

async function recallOf(
  index: TopKIndex,
  queries: readonly Float32Array[],
  exact: readonly Int32Array[],
  k: number,
  method: 'bounds' | 'scan',
): Promise<{ recall: number; scored: number }> {
  let found = 0;
  let scored = 0;
  for (const [i, query] of queries.entries()) {
    const { indices } = await index.search(query, k, { method });
    found += indices.reduce((sum, best, place) => sum + (best === exact[i]![place] ? 1 : 0), 0);
    scored += index.lastScored;
  }
  return { recall: found / (k * queries.length), scored: scored / queries.length };
}
