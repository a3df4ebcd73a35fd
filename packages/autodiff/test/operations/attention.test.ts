import { createMatrixFrom, createPlainBackend, fill, read, Scope } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { attention, PackedSequences, rmsNorm, rotary, Tape, type Variable } from '../../src/index.ts';
import { compareWithFiniteDifferences, type DifferenceInput } from '../../src/testing.ts';
import { createCountingBackend } from '../counting-backend.ts';
import { sampleInput } from '../sample-inputs.ts';

const backend = createPlainBackend({ precision: 'f64' });

interface Values {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

/** By its definition, position after position. */
function naiveAttention(
  query: Values,
  key: Values,
  value: Values,
  lengths: readonly number[],
  heads: number,
): number[] {
  const { columns } = query;
  const width = columns / heads;
  const out = new Array<number>(query.values.length).fill(0);
  let start = 0;
  for (const length of lengths) {
    for (let head = 0; head < heads; head++) {
      const at = (row: number, i: number): number => (start + row) * columns + head * width + i;
      for (let row = 0; row < length; row++) {
        const scores = Array.from({ length: row + 1 }, (_, other) => {
          let dot = 0;
          for (let i = 0; i < width; i++) dot += query.values[at(row, i)]! * key.values[at(other, i)]!;
          return Math.exp(dot / Math.sqrt(width));
        });
        const sum = scores.reduce((total, score) => total + score, 0);
        for (const [other, score] of scores.entries())
          for (let i = 0; i < width; i++) out[at(row, i)]! += (score / sum) * value.values[at(other, i)]!;
      }
    }
    start += length;
  }
  return out;
}

async function computeAttention(
  inputs: readonly [Values, Values, Values],
  lengths: readonly number[],
  heads: number,
): Promise<ArrayLike<number>> {
  using scope = new Scope(backend);
  const tape = scope.own(new Tape(backend));
  const sequences = scope.own(new PackedSequences(backend, heads));
  sequences.arrange(lengths);
  const [query, key, value] = inputs.map(({ rows, columns, values }) =>
    tape.constant(scope.own(createMatrixFrom(backend, rows, columns, values))),
  ) as [Variable, Variable, Variable];
  return read(attention(query, key, value, sequences).value);
}

function threeInputs(rows: number, columns: number): [DifferenceInput, DifferenceInput, DifferenceInput] {
  return [sampleInput(rows, columns, 1), sampleInput(rows, columns, 2), sampleInput(rows, columns, 3)];
}

describe('attention', () => {
  it.each([
    [[1], 1, 2],
    [[5], 2, 6],
    [[3, 1, 4, 3], 2, 4],
    [[2, 2, 2], 3, 9],
  ])('is a softmax over the positions before, lengths %j, %i heads of %i columns', async (lengths, heads, columns) => {
    const rows = lengths.reduce((sum, length) => sum + length, 0);
    const inputs = threeInputs(rows, columns);
    const found = await computeAttention(inputs, lengths, heads);
    const expected = naiveAttention(...inputs, lengths, heads);
    for (const [i, number] of expected.entries()) expect(found[i]).toBeCloseTo(number, 12);
  });

  it('takes the queries of a long sequence in blocks', async () => {
    const lengths = [600, 3, 257, 256];
    const inputs = threeInputs(1116, 4);
    const found = await computeAttention(inputs, lengths, 2);
    const expected = naiveAttention(...inputs, lengths, 2);
    let difference = 0;
    for (const [i, number] of expected.entries()) difference = Math.max(difference, Math.abs(found[i]! - number));
    expect(difference).toBeLessThan(1e-12);
  });

  it('stays finite with scores in the thousands', async () => {
    const large = sampleInput(4, 4, 1, -300, 300);
    const found = await computeAttention([large, large, sampleInput(4, 4, 2)], [4], 2);
    expect(Array.from(found).every(Number.isFinite)).toBe(true);
  });

  it.each([
    [[4], 1, 3],
    [[3, 1, 2, 3], 2, 4],
  ])('has the gradient of finite differences, lengths %j, %i heads', async (lengths, heads, columns) => {
    const rows = lengths.reduce((sum, length) => sum + length, 0);
    using sequences = new PackedSequences(backend, heads);
    sequences.arrange(lengths);
    const errors = await compareWithFiniteDifferences(
      backend,
      (_tape, [query, key, value]) => attention(query, key, value, sequences),
      threeInputs(rows, columns),
    );
    for (const error of errors) expect(error).toBeLessThan(1e-7);
  });

  it('has the gradient of the whole in blocks', async () => {
    // A sequence of two blocks: the gradient along one direction against a difference along it.
    const [rows, columns] = [260, 2];
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const sequences = scope.own(new PackedSequences(backend, 1));
    sequences.arrange([rows]);
    const inputs = threeInputs(rows, columns);
    const direction = sampleInput(rows, columns, 9).values;
    const weights = sampleInput(rows, columns, 10).values;
    for (const moved of [0, 1, 2]) {
      const along = async (step: number): Promise<number> => {
        const shifted = inputs.map((input, i) =>
          i === moved ? { ...input, values: input.values.map((x, j) => x + step * direction[j]!) } : input,
        ) as [Values, Values, Values];
        const found = await computeAttention(shifted, [rows], 1);
        return weights.reduce((sum, weight, i) => sum + weight * found[i]!, 0);
      };
      const expected = ((await along(1e-5)) - (await along(-1e-5))) / 2e-5;
      tape.reset();
      const variables = inputs.map(({ values }) =>
        tape.variable(scope.own(createMatrixFrom(backend, rows, columns, values))),
      ) as [Variable, Variable, Variable];
      tape.backward(attention(...variables, sequences), scope.own(createMatrixFrom(backend, rows, columns, weights)));
      const gradient = await read(variables[moved]!.gradient ?? backend.createMatrix(0, 0));
      const found = direction.reduce((sum, x, i) => sum + x * gradient[i]!, 0);
      expect(Math.abs(found - expected)).toBeLessThan(1e-7 * Math.abs(expected) + 1e-8);
    }
  });

  it('creates no handle in later steps, whatever the lengths', () => {
    const { backend: counted, counts } = createCountingBackend();
    using scope = new Scope(counted);
    const tape = scope.own(new Tape(counted));
    const sequences = scope.own(new PackedSequences(counted, 2));
    const matrix = scope.own(counted.createMatrix(12, 4));
    const seed = scope.own(counted.createMatrix(12, 4));
    fill(1, seed);
    const step = (lengths: readonly number[]): void => {
      sequences.arrange(lengths);
      const [query, key, value] = [tape.variable(matrix), tape.variable(matrix), tape.variable(matrix)];
      tape.backward(attention(query, key, value, sequences), seed);
      tape.reset();
    };
    for (const lengths of [[12], [6, 6], [4, 8], [3, 3, 6]]) for (let i = 0; i < 3; i++) step(lengths);
    const before = counts.created;
    for (const lengths of [[6, 6], [12], [3, 3, 6], [4, 8], [8, 4]]) step(lengths);
    expect(counts.created).toBe(before);
  });

  it('refuses operands and sequences that do not fit', () => {
    using sequences = new PackedSequences(backend, 2);
    sequences.arrange([3]);
    using scope = new Scope(backend);
    const tape = scope.own(new Tape(backend));
    const of = (rows: number, columns: number): Variable =>
      tape.constant(scope.own(backend.createMatrix(rows, columns)));
    expect(() => attention(of(3, 4), of(3, 6), of(3, 4), sequences)).toThrow(/key is 3×6, query is 3×4/u);
    expect(() => attention(of(2, 4), of(2, 4), of(2, 4), sequences)).toThrow(/the sequences have 3 rows and 2 heads/u);
    expect(() => attention(of(3, 5), of(3, 5), of(3, 5), sequences)).toThrow(/a multiple of the heads/u);
    expect(() => {
      sequences.arrange([2, 0]);
    }).toThrow(/length 1 is 0/u);
    expect(() => new PackedSequences(backend, 1.5)).toThrow(/heads must be a whole number/u);
  });
});

describe('rotary', () => {
  it('turns pairs, and has the gradient of finite differences', async () => {
    const angles = sampleInput(3, 8, 5).values;
    // Heads of 4 columns: the angle of column j of a head is that of j mod 2.
    const angleOf = (i: number): number => angles[i - (i % 4) + (i % 2)]!;
    const cosines = angles.map((_, i) => Math.cos(angleOf(i)));
    const sines = angles.map((_, i) => (i % 4 < 2 ? -1 : 1) * Math.sin(angleOf(i)));
    using scope = new Scope(backend);
    const c = scope.own(createMatrixFrom(backend, 3, 8, cosines));
    const s = scope.own(createMatrixFrom(backend, 3, 8, sines));
    const input = sampleInput(3, 8, 6);
    using tape = new Tape(backend);
    const x = tape.variable(scope.own(createMatrixFrom(backend, 3, 8, input.values)));
    const found = await read(rotary(x, tape.constant(c), tape.constant(s), 2).value);
    for (let i = 0; i < 24; i += 4) {
      for (const pair of [0, 1]) {
        const [a, b] = [input.values[i + pair]!, input.values[i + pair + 2]!];
        const angle = angleOf(i + pair);
        expect(found[i + pair]).toBeCloseTo(a * Math.cos(angle) - b * Math.sin(angle), 12);
        expect(found[i + pair + 2]).toBeCloseTo(a * Math.sin(angle) + b * Math.cos(angle), 12);
      }
    }
    const [error] = await compareWithFiniteDifferences(
      backend,
      (own, [variable]) => rotary(variable, own.constant(c), own.constant(s), 2),
      [input],
    );
    expect(error).toBeLessThan(1e-7);
    expect(() => rotary(x, tape.constant(c), tape.constant(s), 3)).toThrow(/even number of columns/u);
  });
});

describe('rmsNorm', () => {
  it('divides by the root mean square, and has the gradient of finite differences', async () => {
    const input = sampleInput(3, 5);
    const gain = sampleInput(1, 5, 4);
    using scope = new Scope(backend);
    using tape = new Tape(backend);
    const found = await read(
      rmsNorm(
        tape.constant(scope.own(createMatrixFrom(backend, 3, 5, input.values))),
        tape.constant(scope.own(createMatrixFrom(backend, 1, 5, gain.values))),
      ).value,
    );
    for (let row = 0; row < 3; row++) {
      const values = input.values.slice(row * 5, row * 5 + 5);
      const root = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / 5 + 1e-5);
      for (const [i, x] of values.entries()) expect(found[row * 5 + i]).toBeCloseTo((x / root) * gain.values[i]!, 12);
    }
    const errors = await compareWithFiniteDifferences(backend, (_tape, [x, factors]) => rmsNorm(x, factors), [
      input,
      gain,
    ]);
    for (const error of errors) expect(error).toBeLessThan(1e-7);
  });
});
