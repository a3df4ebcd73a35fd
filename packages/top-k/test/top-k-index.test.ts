/** Results equal those of a plain loop over all vectors, whatever the numbers, the backend and the way of searching. */
import fc from 'fast-check';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createPlainBackend, growTable, writeRows, type Backend } from '@vastmax/linalg-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTopKIndex, indexTable, type TopKIndex } from '../src/index.ts';
import { naiveSearch, type NaiveSet } from './naive-search.ts';

const methods = ['bounds', 'scan'] as const;

const backends: { name: string; create: () => Promise<Backend>; backend?: Backend }[] = [
  { name: 'plain f32', create: () => Promise.resolve(createPlainBackend()) },
  { name: 'plain f64', create: () => Promise.resolve(createPlainBackend({ precision: 'f64' })) },
  { name: 'wasm', create: () => createWasmBackend({ threads: 1 }) },
];

beforeAll(async () => {
  for (const each of backends) each.backend = await each.create();
});
afterAll(async () => {
  for (const { backend } of backends) await backend?.dispose();
});

/** Numbers that break bounds: ties, zeros, huge, tiny, and usual ones. */
const number = fc.oneof(
  { weight: 4, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, -1, 0.5, 2) },
  { weight: 1, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(3.4e38, -3.4e38, 1e-45, -1e-40, 1e30, 1e-30, -0) },
);

interface Case extends NaiveSet {
  readonly queries: Float64Array;
  readonly k: number;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    width: fc.integer({ min: 1, max: 19 }),
    count: fc.integer({ min: 0, max: 40 }),
    m: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ width, count, m }) =>
    fc.record({
      width: fc.constant(width),
      k: fc.integer({ min: 1, max: 12 }),
      vectors: fc
        .array(number, { minLength: width * count, maxLength: width * count })
        .map((values) => Float32Array.from(values)),
      biases: fc.option(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: count, maxLength: count }), {
        nil: undefined,
      }),
      queries: fc
        .array(number, { minLength: width * m, maxLength: width * m })
        .map((values) => Float64Array.from(values, Math.fround)),
    }),
  );

async function expectNaive(
  index: TopKIndex,
  set: NaiveSet,
  queries: Float64Array,
  k: number,
  accept?: (index: number) => boolean,
): Promise<void> {
  const filter = accept === undefined ? {} : { accept };
  for (const method of methods) {
    const got = await index.search(queries, k, { method, ...filter });
    for (let i = 0; i < queries.length / set.width; i++) {
      const query = queries.subarray(i * set.width, (i + 1) * set.width);
      const expected = naiveSearch(set, query, k, accept);
      expect({ method, indices: [...got.indices.subarray(i * k, (i + 1) * k)] }).toEqual({
        method,
        indices: expected.indices,
      });
      expect([...got.scores.subarray(i * k, (i + 1) * k)].map((score) => score + 0)).toEqual(
        expected.scores.map((score) => score + 0),
      );
    }
  }
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const all = new Float32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/** Gaussian rows by sums, some of them equal, in lengths that fall like those of class vectors. */
function manyVectors(count: number, width: number, seed: number): Float32Array {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  const vectors = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const length = 1 / (1 + (i % 97));
    for (let j = 0; j < width; j++) vectors[i * width + j] = length * (next() + next() + next());
    if (i % 50 === 49) vectors.copyWithin(i * width, (i - 40) * width, (i - 39) * width);
  }
  return vectors;
}

describe.each(backends)('$name', (under) => {
  const backendOf = (): Backend => {
    if (under.backend === undefined) throw new Error(`${under.name} was not created`);
    return under.backend;
  };

  test('equals a plain loop over all vectors, also of adversarial numbers', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ width, vectors, biases, queries, k }) => {
        using index = await createTopKIndex(backendOf(), width, vectors, biases === undefined ? {} : { biases });
        await expectNaive(index, { width, vectors, biases }, queries, k);
      }),
      { numRuns: 60 },
    );
  });

  test('equals it for several blocks, with filters, removals, changes and additions', async () => {
    const [width, count] = [24, 5000];
    const vectors = manyVectors(count, width, 3);
    const queries = Float64Array.from(manyVectors(6, width, 9));
    using index = await createTopKIndex(backendOf(), width, vectors);
    await expectNaive(index, { width, vectors }, queries, 10);
    await expectNaive(index, { width, vectors }, queries, 10, (i) => i % 3 === 0);

    const removed = naiveSearch({ width, vectors }, queries.subarray(0, width), 3).indices;
    await index.remove(Int32Array.from(removed));
    expect(index.size).toBe(count - 3);
    await expectNaive(index, { width, vectors }, queries, 10, (i) => !removed.includes(i));

    const changed = Int32Array.of(4, 2500, 4999);
    const values = manyVectors(3, width, 77).map((value) => 3 * value);
    await index.update(changed, values);
    for (const [i, at] of changed.entries()) vectors.set(values.subarray(i * width, (i + 1) * width), at * width);

    const added = manyVectors(1500, width, 5);
    const biases = Float64Array.from({ length: 1500 }, (_, i) => (i % 7) - 3);
    expect(await index.add(added, { biases })).toBe(count);
    const all = {
      width,
      vectors: joined(vectors, added),
      biases: [...new Array<number>(count).fill(0), ...biases],
    };
    await expectNaive(index, all, queries, 20, (i) => !removed.includes(i));
  });

  test('an index over a table follows the rows that change and the rows that come', async () => {
    const [width, count] = [9, 2100];
    const vectors = manyVectors(count, width, 8);
    using table = backendOf().createTable(count, width);
    writeRows(vectors, 0, table);
    using index = await indexTable(table);
    const queries = Float64Array.from(manyVectors(2, width, 31));
    await expectNaive(index, { width, vectors }, queries, 7);
    const row = Float32Array.from({ length: width }, () => 5);
    writeRows(row, 1234, table);
    vectors.set(row, 1234 * width);
    growTable(table, count + 1);
    writeRows(row, count, table);
    await index.refresh(Int32Array.of(1234));
    await expectNaive(index, { width, vectors: joined(vectors, row) }, queries, 7);
    await expect(index.add(row)).rejects.toThrow(/refresh/);
  });

  test('one query for each group of rows', async () => {
    const [width, count, k] = [8, 3000, 9];
    const vectors = manyVectors(count, width, 2);
    using index = await createTopKIndex(backendOf(), width, new Float32Array(0));
    expect(index.size).toBe(0);
    using table = backendOf().createTable(count, width);
    writeRows(vectors, 0, table);
    using grouped = await indexTable(table);
    const queries = Float64Array.from(manyVectors(3, width, 13));
    const groupOf = Int32Array.from({ length: count }, (_, i) => (i % 11 === 0 ? 1 : i > 2000 ? 2 : 0));
    const offsets = [0.1, -0.2, 0.3];
    const scores = Float64Array.from({ length: count }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += queries[groupOf[i]! * width + j]! * vectors[i * width + j]!;
      return sum + offsets[groupOf[i]!]!;
    });
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, k);
    for (const method of methods) {
      const got = await grouped.searchGrouped({ queries, offsets, groupOf }, k, { method });
      expect([...got.indices]).toEqual(order);
      expect([...got.scores]).toEqual(order.map((i) => scores[i]));
    }
    await expect(grouped.searchGrouped({ queries, offsets: [0, Number.NaN, 0], groupOf }, k)).rejects.toThrow(
      /offset 1 is NaN/,
    );
    await expect(grouped.searchGrouped({ queries, offsets, groupOf: groupOf.subarray(1) }, k)).rejects.toThrow(
      /groups of 2999 rows, and there are 3000/,
    );
  });

  test('bad input is refused by name and value, and changes nothing', async () => {
    using index = await createTopKIndex(backendOf(), 3, [1, 2, 3, 4, 5, 6]);
    await expect(index.search([1, 2], 1)).rejects.toThrow(/2 numbers.*vectors of 3/);
    await expect(index.search([1, Number.NaN, 2], 1)).rejects.toThrow(/number 1 of queries 0 is NaN/);
    await expect(index.search([1, 2, 3], 0)).rejects.toThrow(/k must be.*got 0/);
    await expect(index.add([1, 2, Infinity])).rejects.toThrow(/number 2 of vectors 0 is Infinity/);
    await expect(index.add([1, 2, 3], { biases: [1, 2] })).rejects.toThrow(/2 biases for 1 vectors/);
    await expect(index.remove(Int32Array.of(2))).rejects.toThrow(/index 2 is out of range.*2 vectors/);
    await expect(createTopKIndex(backendOf(), 0, [])).rejects.toThrow(/width must be.*got 0/);
    expect(index.size).toBe(2);
    expect((await index.search([1, 0, 0], 1)).indices).toEqual(Int32Array.of(1));
    index[Symbol.dispose]();
    await expect(index.search([1, 0, 0], 1)).rejects.toThrow(/disposed/);
  });

  test('leaves nothing behind', async () => {
    const before = backendOf().memory();
    const index = await createTopKIndex(backendOf(), 5, manyVectors(2000, 5, 4));
    await index.search([1, 2, 3, 4, 5], 3);
    index[Symbol.dispose]();
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(backendOf().memory()).toEqual(before);
  });
});
