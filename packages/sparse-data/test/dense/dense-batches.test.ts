import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csrFromLists } from '../../src/csr/csr-rows.ts';
import { DenseBatches, type DenseBatch, type DenseBatchesOptions } from '../../src/dense/dense-batches.ts';
import { collectDenseRows, createDenseRows, sourceOfRows, type DenseRows } from '../../src/dense/dense-rows.ts';
import { splitRows } from '../../src/dense/split-rows.ts';
import { rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

/** Row r is r, r + 0.5; its class is r mod 3. */
function data(rows: number): Pick<DenseBatchesOptions, 'inputs' | 'targets'> & { readonly inputs: DenseRows } {
  const values = Float32Array.from({ length: 2 * rows }, (_, i) => i);
  for (let row = 0; row < rows; row++) {
    values[2 * row] = row;
    values[2 * row + 1] = row + 0.5;
  }
  return {
    inputs: createDenseRows(rows, 2, values),
    targets: csrFromLists(
      Array.from({ length: rows }, (_, row) => [row % 3]),
      3,
    ),
  };
}

function copied(batch: DenseBatch): unknown {
  const { inputs, targets, examples, size, epoch, endOfEpoch } = batch;
  expect([inputs.rows, targets.rows, examples.length]).toEqual([size, size, size]);
  expect(inputs.values.length).toBe(size * inputs.columns);
  return { values: [...inputs.values], targets: rowsOf(targets), examples: [...examples], epoch, endOfEpoch };
}

function epochOf(batches: DenseBatches): DenseBatch[] {
  const all: DenseBatch[] = [];
  for (;;) {
    const batch = batches.next();
    all.push({
      ...batch,
      examples: batch.examples.slice(),
      inputs: { ...batch.inputs, values: batch.inputs.values.slice() },
    });
    if (batch.endOfEpoch) return all;
  }
}

const orders = fc.record({
  rows: fc.integer({ min: 1, max: 60 }),
  batchSize: fc.integer({ min: 1, max: 13 }),
  seed: fc.nat(1000),
  blocks: fc.option(fc.record({ rows: fc.integer({ min: 1, max: 9 }), count: fc.integer({ min: 1, max: 5 }) }), {
    nil: undefined,
  }),
});

describe('DenseBatches', () => {
  it('gives each row once an epoch with its own numbers and classes, in another order each epoch', () => {
    fc.assert(
      fc.property(orders, ({ rows, blocks, ...options }) => {
        const batches = new DenseBatches({ ...data(rows), ...options, ...(blocks === undefined ? {} : { blocks }) });
        for (const epoch of [0, 1]) {
          const all = epochOf(batches);
          for (const { examples, inputs, epoch: own } of all) {
            expect(own).toBe(epoch);
            expect([...inputs.values]).toEqual([...examples].flatMap((row) => [row, row + 0.5]));
          }
          const met = all.flatMap(({ examples }) => [...examples]).sort((a, b) => a - b);
          expect(met).toEqual(Array.from({ length: rows }, (_, row) => row));
        }
      }),
    );
  });

  it('goes on from a cursor exactly, whatever the order', () => {
    fc.assert(
      fc.property(orders, fc.nat(40), ({ rows, blocks, ...options }, steps) => {
        const create = (): DenseBatches =>
          new DenseBatches({ ...data(rows), ...options, ...(blocks === undefined ? {} : { blocks }) });
        const first = create();
        for (let step = 0; step < steps; step++) first.next();
        const second = create();
        second.seek(JSON.parse(JSON.stringify(first.cursor())));
        for (let step = 0; step < 6; step++) expect(copied(second.next())).toEqual(copied(first.next()));
      }),
    );
  });

  it('reads the rows of a window of blocks together', () => {
    const { inputs, targets } = data(20);
    const source = sourceOfRows(inputs);
    const reads: number[][] = [];
    const copyRows: typeof source.copyRows = (rows, out) => {
      reads.push([...rows]);
      source.copyRows(rows, out);
    };
    const batches = new DenseBatches({
      inputs: { ...source, copyRows },
      targets,
      batchSize: 3,
      seed: 5,
      blocks: { rows: 4, count: 2 },
    });
    epochOf(batches);
    expect(reads.map(({ length }) => length)).toEqual([8, 8, 4]);
    for (const rows of reads)
      for (let at = 0; at < rows.length; at += 4)
        expect(rows.slice(at, at + 4)).toEqual([0, 1, 2, 3].map((i) => rows[at]! + i));
  });

  it('reads a window again whose reading has failed', () => {
    const { inputs, targets } = data(20);
    const source = sourceOfRows(inputs);
    let fails = 0;
    const copyRows: typeof source.copyRows = (rows, out) => {
      if (fails-- > 0) throw new Error('the disk is gone');
      source.copyRows(rows, out);
    };
    const batches = new DenseBatches({
      inputs: { ...source, copyRows },
      targets,
      batchSize: 3,
      blocks: { rows: 4, count: 2 },
    });
    // A window has three minibatches.
    for (const window of [1, 2]) {
      fails = 2;
      for (const attempt of [1, 2]) expect(() => batches.next(), `${window}, ${attempt}`).toThrow('the disk is gone');
      const { examples, inputs: read } = batches.next();
      expect([...read.values]).toEqual([...examples].flatMap((row) => [row, row + 0.5]));
    }
  });

  it('takes the rows of one part of a split, shares of targets and weights of classes', () => {
    const { kept, heldOut } = splitRows(200, { heldOut: 0.2, seed: 1 });
    expect([...kept, ...heldOut].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, row) => row));
    expect(heldOut.length).toBeGreaterThan(20);
    const batches = new DenseBatches({
      ...data(200),
      targets: csrFromLists(
        Array.from({ length: 200 }, () => [0, 2]),
        3,
      ),
      rows: heldOut,
      batchSize: 8,
      targetWeights: 'shares',
      classWeights: Float64Array.of(2, 1, 4),
    });
    const batch = batches.next();
    expect(heldOut).toContain(batch.examples[0]);
    expect(rowsOf(batch.targets)[0]).toEqual([
      [0, 1],
      [2, 2],
    ]);
  });

  it('keeps f64, and widens half precision', () => {
    const targets = csrFromLists([[0], [1]], 2);
    const double = new DenseBatches({
      inputs: createDenseRows(2, 1, Float64Array.of(Math.PI, 2)),
      targets,
      batchSize: 2,
      shuffle: false,
    });
    expect([...double.next().inputs.values]).toEqual([Math.PI, 2]);
    const half = createDenseRows(2, 2, Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001));
    const batches = new DenseBatches({ inputs: half, targets, batchSize: 2, shuffle: false });
    expect([...batches.next().inputs.values]).toEqual([1, -2, 0.333251953125, 2 ** -24]);
    expect([...collectDenseRows(sourceOfRows(half)).values]).toEqual([1, -2, 0.333251953125, 2 ** -24]);
  });

  it('refuses what does not fit, naming both values', async () => {
    const { inputs, targets } = data(4);
    const bad = csrFromLists([[0]], 1);
    expect(await thrownBy(() => new DenseBatches({ inputs, targets: bad, batchSize: 1 }))).toBe(
      'shape: DenseBatches: inputs has 4 rows, targets has 1; an example is a row of each',
    );
    expect(await thrownBy(() => createDenseRows(2, 3, new Float32Array(5)))).toBe(
      'shape: createDenseRows: there are 5 numbers for 2 rows of 3; 6 are needed',
    );
    expect(await thrownBy(() => new DenseBatches({ inputs, targets, batchSize: 1, rows: Int32Array.of(4) }))).toContain(
      'index-out-of-range: DenseBatches: rows[0] is 4',
    );
    expect(
      await thrownBy(() => new DenseBatches({ inputs, targets, batchSize: 1, blocks: { rows: 0, count: 1 } })),
    ).toContain('bad-option: DenseBatches: blocks.rows is 0');
    expect(
      await thrownBy(
        () => new DenseBatches({ inputs, targets, batchSize: 1, shuffle: false, blocks: { rows: 1, count: 1 } }),
      ),
    ).toContain('shuffle is false');
    const values = inputs.values.slice();
    values[5] = Number.NaN;
    const batches = new DenseBatches({ inputs: { ...inputs, values }, targets, batchSize: 4, shuffle: false });
    expect(await thrownBy(() => batches.next())).toBe(
      'non-finite-value: DenseBatches: row 2, column 1: the feature is NaN; features must be finite',
    );
    expect(await thrownBy(() => splitRows(3, { heldOut: 0 }))).toContain('bad-split: splitRows: a share of 0');
  });
});
