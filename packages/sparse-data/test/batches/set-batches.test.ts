import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csrFromLists, validateCsrRows } from '../../src/csr/csr-rows.ts';
import { SetBatches, type SetBatchesOptions } from '../../src/batches/set-batches.ts';
import { splitSets } from '../../src/interactions/split-sets.ts';
import { listsOf, rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

const lists = fc.array(fc.uniqueArray(fc.nat(29), { maxLength: 12 }), { minLength: 1, maxLength: 12 });
const large = csrFromLists(
  Array.from({ length: 300 }, (_, row) => Array.from({ length: 10 }, (__, i) => (7 * row + 31 * i) % 1000)),
  1000,
);

describe('SetBatches', () => {
  it('shows a part of each set and predicts all of it, or the rest', () => {
    fc.assert(
      fc.property(
        lists,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.nat(),
        fc.constantFrom('whole', 'hidden'),
        (sets, shown, seed, predict) => {
          const batches = new SetBatches({ sets: csrFromLists(sets, 30), shown, seed, predict, batchSize: 5 });
          for (let i = 0; i < 6; i++) {
            const { examples, inputs, targets } = batches.next();
            validateCsrRows(inputs);
            validateCsrRows(targets);
            const parts = listsOf(inputs);
            for (const [place, row] of examples.entries()) {
              const set = sets[row]!;
              const part = parts[place]!;
              const predicted = rowsOf(targets)[place]!;
              expect(part.every((element) => set.includes(element))).toBe(true);
              expect(part.length > 0).toBe(set.length > 0);
              expect(predicted.map(([element]) => element)).toEqual(
                predict === 'whole' ? set : set.filter((element) => !part.includes(element)),
              );
              if (predict === 'hidden' && set.length > 1) expect(predicted.length).toBeGreaterThan(0);
              if (predicted.length > 0)
                expect(predicted.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1, 12);
            }
          }
        },
      ),
    );
  });

  it('shows the given share, another part in each epoch and for each seed', () => {
    const epochs = (seed: number): string[] => {
      const batches = new SetBatches({ sets: large, shown: 0.7, seed, batchSize: 300, shuffle: false });
      return [0, 1].map(() => {
        const { inputs } = batches.next();
        const share = inputs.indices.length / 3000;
        expect(share).toBeGreaterThan(0.65);
        expect(share).toBeLessThan(0.75);
        return String(inputs.indices);
      });
    };
    const seen = [...epochs(1), ...epochs(2)];
    expect(new Set(seen).size).toBe(4);
    expect(epochs(1)).toEqual(seen.slice(0, 2));
  });

  it('weighs the elements as the data do, and not as shares where that is asked', () => {
    const sets = csrFromLists([[1, 2]], 3, [[1, 3]]);
    const shares = new SetBatches({ sets, shown: 1, batchSize: 1 }).next();
    expect([rowsOf(shares.inputs), rowsOf(shares.targets)]).toEqual([
      [
        [
          [1, 1],
          [2, 3],
        ],
      ],
      [
        [
          [1, 0.25],
          [2, 0.75],
        ],
      ],
    ]);
    const given = new SetBatches({ sets, shown: 1, batchSize: 1, targetWeights: 'given' }).next();
    expect(rowsOf(given.targets)).toEqual([
      [
        [1, 1],
        [2, 3],
      ],
    ]);
    expect(
      new SetBatches({ sets: large, shown: 1, batchSize: 1, targetWeights: 'given' }).next().targets.values,
    ).toBeUndefined();
  });

  it('resumes from a cursor with the same parts', () => {
    const options: SetBatchesOptions = { sets: large, shown: 0.5, seed: 5, batchSize: 70 };
    const batches = new SetBatches(options);
    for (let i = 0; i < 7; i++) batches.next();
    const cursor = JSON.parse(JSON.stringify(batches.cursor())) as unknown;
    const rest = (from: SetBatches): unknown[] =>
      Array.from({ length: 6 }, () => {
        const { examples, inputs, targets } = from.next();
        return [Array.from(examples), rowsOf(inputs), rowsOf(targets)];
      });
    const resumed = new SetBatches({ ...options, seed: 8 });
    resumed.seek(cursor);
    expect(rest(resumed)).toEqual(rest(batches));
  });

  it.each<[string, Partial<SetBatchesOptions>, string]>([
    [
      'a share of nothing',
      { shown: 0 },
      'bad-option: SetBatches: shown is 0; a number above 0 and at most 1 is needed',
    ],
    ['a share that is none', { shown: Number.NaN }, 'shown is NaN'],
    ['another goal', { predict: 'part' as 'whole' }, 'predict is "part"; whole or hidden is needed'],
    ['a row beyond the data', { rows: Int32Array.of(-1) }, 'index-out-of-range: SetBatches: rows[0] is -1'],
  ])('rejects %s', async (_, change, message) => {
    expect(await thrownBy(() => new SetBatches({ sets: large, shown: 0.5, batchSize: 4, ...change }))).toContain(
      message,
    );
  });
});

describe('splitSets', () => {
  it('hides the share of each set, rounded, but never all of it', () => {
    fc.assert(
      fc.property(lists, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (sets, hidden, seed) => {
        const split = splitSets(csrFromLists(sets, 30), { hidden, seed });
        const [shown, rest] = [listsOf(split.shown), listsOf(split.hidden)];
        for (const [row, set] of sets.entries()) {
          expect([...shown[row]!, ...rest[row]!].toSorted()).toEqual(set.toSorted());
          expect(rest[row]!.length).toBe(Math.max(0, Math.min(Math.round(hidden * set.length), set.length - 1)));
        }
      }),
    );
  });

  it('keeps the values with their elements, and draws by its seed', () => {
    const { shown, hidden } = splitSets(csrFromLists([[3, 1]], 4, [[0.3, 0.1]]), { hidden: 0.5 });
    expect([...rowsOf(shown)[0]!, ...rowsOf(hidden)[0]!].toSorted()).toEqual([
      [1, 0.1],
      [3, 0.3],
    ]);
    const of = (seed: number): string => String(splitSets(large, { hidden: 0.2, seed }).hidden.indices);
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });

  it('rejects a share that is none', async () => {
    expect(await thrownBy(() => splitSets(large, { hidden: 1.5 }))).toContain(
      'bad-option: splitSets: hidden is 1.5; a number in 0..1 is needed',
    );
  });
});
