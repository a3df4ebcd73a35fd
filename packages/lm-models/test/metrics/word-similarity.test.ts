import { createPlainBackend, writeRows } from '@vastmax/linalg-core';
import { createOutputLayer } from '@vastmax/lm-models';
import {
  evaluateWordSimilarity,
  readClassVectors,
  readEmbeddings,
  readWordPairs,
  spearmanCorrelation,
} from '@vastmax/lm-models/metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normals, valuesOf } from '../numbers.ts';

/** Ranks by counting, then the plain correlation. */
function naiveSpearman(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] =>
    values.map(
      (value) =>
        values.filter((other) => other < value).length + (values.filter((other) => other === value).length + 1) / 2,
    );
  const [x, y] = [ranks(a), ranks(b)];
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const covariance = (p: readonly number[], q: readonly number[]): number =>
    mean(p.map((value, i) => (value - mean(p)) * (q[i]! - mean(q))));
  return covariance(x, y) / Math.sqrt(covariance(x, x) * covariance(y, y));
}

describe('spearmanCorrelation', () => {
  it('agrees with counting, ties and all', () => {
    const pairs = fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(pairs, (list) => {
        const [a, b] = [list.map(([x]) => x), list.map(([, y]) => y)];
        const expected = naiveSpearman(a, b);
        const actual = spearmanCorrelation(a, b);
        if (Number.isNaN(expected)) expect(actual).toBeNaN();
        else expect(actual).toBeCloseTo(expected, 12);
      }),
    );
  });

  it('is 1 for any rising function, −1 for a falling one, and undefined for a constant', () => {
    const values = [0.1, 5, -3, 700, 2];
    expect(
      spearmanCorrelation(
        values,
        values.map((x) => x ** 3),
      ),
    ).toBeCloseTo(1, 14);
    expect(
      spearmanCorrelation(
        values,
        values.map((x) => -x),
      ),
    ).toBeCloseTo(-1, 14);
    expect(
      spearmanCorrelation(
        values,
        values.map(() => 1),
      ),
    ).toBeNaN();
    expect(spearmanCorrelation([], [])).toBeNaN();
  });

  it('refuses different lengths and NaN', () => {
    expect(() => spearmanCorrelation([1], [1, 2])).toThrow('1 and 2 values; as many on both sides are needed');
    expect(() => spearmanCorrelation([1, Number.NaN], [1, 2])).toThrow('value 1 is NaN and 2; NaN has no rank');
  });
});

describe('word similarity', () => {
  const lines = ['sun\tsunlight\t50.0', 'cat\tdog\t9', 'cat\tstone\t1'];

  it('reads pairs and names the line of what is none', async () => {
    expect(await readWordPairs(lines)).toEqual([
      { first: 'sun', second: 'sunlight', score: 50 },
      { first: 'cat', second: 'dog', score: 9 },
      { first: 'cat', second: 'stone', score: 1 },
    ]);
    await expect(readWordPairs([...lines, 'cat dog 3'], { name: 'men.txt' })).rejects.toMatchObject({
      code: 'wrong-count',
      message: expect.stringContaining('men.txt: line 4'),
    });
    await expect(readWordPairs(['cat dog 3'])).rejects.toMatchObject({
      code: 'bad-csv',
      message: expect.stringContaining('input: line 1: "cat dog 3" is not a pair; two words and a score'),
    });
    await expect(readWordPairs(['a\tb\thigh'])).rejects.toMatchObject({
      code: 'non-finite-value',
      message: expect.stringContaining(`the score of 'a' and 'b' is "high"`),
    });
    await expect(readWordPairs(['a\tb\t'])).rejects.toMatchObject({ code: 'non-finite-value' });
  });

  it('correlates cosines with scores over the pairs that are covered', async () => {
    const vectors = new Map<string, readonly number[]>([
      ['cat', [1, 0]],
      ['dog', [9, 1]],
      ['stone', [0, 2]],
      ['sun', [1, 1]],
    ]);
    const pairs = await readWordPairs([...lines, 'sun\tcat\t4']);
    expect(evaluateWordSimilarity(pairs, (word) => vectors.get(word))).toEqual({
      correlation: 1,
      covered: 3,
      pairs: 4,
      coverage: 0.75,
    });
    expect(evaluateWordSimilarity(pairs, () => undefined)).toMatchObject({
      covered: 0,
      coverage: 0,
      correlation: Number.NaN,
    });
    // A zero vector is like nothing, and no error.
    expect(evaluateWordSimilarity(pairs, (word) => (word === 'stone' ? [0, 0] : vectors.get(word))).correlation).toBe(
      1,
    );
  });
});

describe('word vectors', () => {
  it('are the rows of a table, and the class vectors of a layer', async () => {
    const backend = createPlainBackend({ precision: 'f64' });
    using table = backend.createTable(5, 2);
    writeRows(normals(10, 1), 0, table);
    const rows = normals(10, 1);
    expect((await readEmbeddings(table, Int32Array.of(3, 0, 3))).map((vector) => [...vector])).toEqual([
      [...rows.slice(6, 8)],
      [...rows.slice(0, 2)],
      [...rows.slice(6, 8)],
    ]);
    using layer = await createOutputLayer(
      backend,
      { features: 2, frequencies: new Float64Array(5).fill(1) },
      { kind: 'full', initialScale: 1, seed: 1 },
    );
    using all = backend.createMatrix(5, 2);
    layer.classVectors(0, all);
    const expected = await valuesOf(all);
    const before = backend.memory();
    expect((await readClassVectors(layer, Int32Array.of(4, 1))).map((vector) => [...vector])).toEqual([
      [...expected.slice(8, 10)],
      [...expected.slice(2, 4)],
    ]);
    await readEmbeddings(table, Int32Array.of(1));
    expect(backend.memory()).toEqual(before);
  });
});
