import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csrFromLists, validateCsrRows } from '../../src/csr/csr-rows.ts';
import { SparseBatches, type SparseBatch, type SparseBatchesOptions } from '../../src/batches/sparse-batches.ts';
import { rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

const inputs = csrFromLists([[0, 4], [2], [], [1, 1, 3], [4]], 5, [[0.5, 2], [-1], [], [1, 2, 3], [7]]);
const targets = csrFromLists([[1], [0, 2, 3], [3], [], [2, 1]], 4);
const plain: SparseBatchesOptions = { inputs, targets, batchSize: 2, seed: 3 };

function copied(batch: SparseBatch): unknown {
  validateCsrRows(batch.inputs);
  validateCsrRows(batch.targets);
  expect([batch.inputs.rows, batch.targets.rows, batch.examples.length]).toEqual([batch.size, batch.size, batch.size]);
  return [Array.from(batch.examples), rowsOf(batch.inputs), rowsOf(batch.targets), batch.epoch, batch.endOfEpoch];
}

const take = (batches: { next(): SparseBatch }, count: number): unknown[] =>
  Array.from({ length: count }, () => copied(batches.next()));

describe('SparseBatches', () => {
  it('gives every row once an epoch, in the order of the data unless shuffled', () => {
    const ordered = take(new SparseBatches({ ...plain, shuffle: false }), 4);
    expect(ordered).toEqual([
      [
        [0, 1],
        [
          [
            [0, 0.5],
            [4, 2],
          ],
          [[2, -1]],
        ],
        [
          [[1, 1]],
          [
            [0, 1],
            [2, 1],
            [3, 1],
          ],
        ],
        0,
        false,
      ],
      [
        [2, 3],
        [
          [],
          [
            [1, 1],
            [1, 2],
            [3, 3],
          ],
        ],
        [[[3, 1]], []],
        0,
        false,
      ],
      [
        [4],
        [[[4, 7]]],
        [
          [
            [2, 1],
            [1, 1],
          ],
        ],
        0,
        true,
      ],
      [
        [0, 1],
        [
          [
            [0, 0.5],
            [4, 2],
          ],
          [[2, -1]],
        ],
        [
          [[1, 1]],
          [
            [0, 1],
            [2, 1],
            [3, 1],
          ],
        ],
        1,
        false,
      ],
    ]);
    const batches = new SparseBatches(plain);
    for (const epoch of [0, 1]) {
      const seen: number[] = [];
      for (let i = 0; i < 3; i++) {
        const batch = batches.next();
        expect(batch.epoch).toBe(epoch);
        for (const [place, row] of batch.examples.entries())
          expect(rowsOf(batch.inputs)[place]).toEqual(rowsOf(inputs)[row]);
        seen.push(...batch.examples);
      }
      expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('takes the rows it is given, and makes the targets shares', () => {
    const batches = new SparseBatches({
      ...plain,
      rows: Int32Array.of(4, 1),
      batchSize: 5,
      shuffle: false,
      targetWeights: 'shares',
    });
    const third = 1 / 3;
    expect(copied(batches.next())).toEqual([
      [4, 1],
      [[[4, 7]], [[2, -1]]],
      [
        [
          [2, 0.5],
          [1, 0.5],
        ],
        [
          [0, third],
          [2, third],
          [3, third],
        ],
      ],
      0,
      true,
    ]);
    expect(batches.examplesPerEpoch).toBe(2);
  });

  it('resumes from a cursor exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        fc.nat(9),
        fc.boolean(),
        (batchSize, seed, before, shuffle) => {
          const batches = new SparseBatches({ ...plain, batchSize, seed, shuffle });
          take(batches, before);
          const cursor = JSON.parse(JSON.stringify(batches.cursor())) as unknown;
          const expected = take(batches, 7);
          const resumed = new SparseBatches({ ...plain, batchSize, seed: 99, shuffle });
          resumed.seek(cursor);
          expect(take(resumed, 7)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each<[string, Partial<SparseBatchesOptions>, string]>([
    [
      'rows that differ',
      { targets: csrFromLists([[0]], 4) },
      'shape: SparseBatches: inputs has 5 rows, targets has 1; an example is a row of each',
    ],
    [
      'a row beyond the data',
      { rows: Int32Array.of(0, 5) },
      'index-out-of-range: SparseBatches: rows[1] is 5, but there are 5 rows',
    ],
    ['no rows', { rows: new Int32Array(0) }, 'empty-input: SparseBatches: there are no examples'],
    ['a batch of none', { batchSize: 0 }, 'bad-option: SparseBatches: batchSize is 0'],
    [
      'other weights',
      { targetWeights: 'half' as 'given' },
      'bad-option: SparseBatches: targetWeights is "half"; given or shares is needed',
    ],
    [
      'a target that is no class',
      { targets: { ...targets, columns: 3 } },
      'index-out-of-range: SparseBatches: targets: row 1, position 2: index is 3',
    ],
  ])('rejects %s', async (_, change, message) => {
    expect(await thrownBy(() => new SparseBatches({ ...plain, ...change }))).toContain(message);
  });

  it('rejects a cursor of other data', async () => {
    const batches = new SparseBatches(plain);
    expect(
      await thrownBy(() => {
        batches.seek({ ...batches.cursor(), examples: 6 });
      }),
    ).toContain('bad-cursor: SparseBatches.seek: the cursor belongs to data of 6 examples, this has 5');
  });
});
