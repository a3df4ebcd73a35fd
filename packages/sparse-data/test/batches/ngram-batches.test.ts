import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateCsrRows } from '../../src/csr/csr-rows.ts';
import { type NgramBatch, type NgramBatchesOptions, NgramBatches } from '../../src/batches/ngram-batches.ts';
import { thrownBy } from '../thrown-by.ts';

interface CopiedBatch {
  readonly examples: readonly (readonly number[])[];
  readonly epoch: number;
  readonly endOfEpoch: boolean;
}

/** The examples of a batch as [...context, target], after checking that its parts agree. */
function copied(batch: NgramBatch, order: number): CopiedBatch {
  const { size, contexts, targets, targetIds, epoch, endOfEpoch } = batch;
  validateCsrRows(targets, 'targets');
  expect([contexts.length, targetIds.length, targets.rows]).toEqual([size * order, size, size]);
  expect(targets.indices).toBe(targetIds);
  return {
    examples: Array.from(targetIds, (target, row) => [...contexts.slice(row * order, (row + 1) * order), target]),
    epoch,
    endOfEpoch,
  };
}

function take(batches: NgramBatches, count: number): CopiedBatch[] {
  return Array.from({ length: count }, () => copied(batches.next(), batches.order));
}

/** The naive twin: every window of the text, padded. */
function windows({ tokens, order, paddingId, first = 0, last = tokens.length }: NgramBatchesOptions): number[][] {
  return Array.from({ length: last - first }, (_, example) =>
    Array.from({ length: order + 1 }, (__, place) => tokens[first + example - order + place] ?? paddingId),
  );
}

const options = fc
  .record({
    tokens: fc.int32Array({ min: 0, max: 9, minLength: 1, maxLength: 60 }),
    order: fc.integer({ min: 1, max: 6 }),
    batchSize: fc.integer({ min: 1, max: 70 }),
    seed: fc.nat(),
    shuffle: fc.boolean(),
    from: fc.nat(20),
    drop: fc.nat(20),
  })
  .map(({ from, drop, ...rest }): NgramBatchesOptions => {
    const first = Math.min(from, rest.tokens.length - 1);
    return { ...rest, classes: 10, paddingId: 10, first, last: Math.max(first + 1, rest.tokens.length - drop) };
  });

describe('NgramBatches', () => {
  it('gives every window once an epoch, in the order of the text unless shuffled', () => {
    fc.assert(
      fc.property(options, (each) => {
        const batches = new NgramBatches(each);
        const expected = windows(each);
        expect([batches.examplesPerEpoch, batches.batchesPerEpoch]).toEqual([
          expected.length,
          Math.ceil(expected.length / each.batchSize),
        ]);
        for (const epoch of [0, 1]) {
          const taken = take(batches, batches.batchesPerEpoch);
          const examples = taken.flatMap((batch) => batch.examples);
          if (each.shuffle === true) expect(examples.map(String).sort()).toEqual(expected.map(String).sort());
          else expect(examples).toEqual(expected);
          expect(taken.map((batch) => batch.epoch)).toEqual(taken.map(() => epoch));
          expect(taken.map((batch) => batch.endOfEpoch)).toEqual(taken.map((_, at) => at === taken.length - 1));
        }
      }),
    );
  });

  it('resumes from a cursor exactly', () => {
    fc.assert(
      fc.property(options, fc.nat(12), (each, before) => {
        const batches = new NgramBatches(each);
        take(batches, before);
        const cursor = JSON.parse(JSON.stringify(batches.cursor())) as unknown;
        const expected = take(batches, 8);
        const resumed = new NgramBatches({ ...each, seed: 99 });
        resumed.seek(cursor);
        expect(take(resumed, 8)).toEqual(expected);
        batches.seek(cursor);
        expect(take(batches, 8)).toEqual(expected);
      }),
    );
  });

  const tokens = Int32Array.from({ length: 1000 }, (_, at) => at);
  const plain: NgramBatchesOptions = { tokens, classes: 1000, order: 2, batchSize: 300, paddingId: 0 };

  it('orders each seed and each epoch differently, and the same seed alike', () => {
    const epochOf = (seed: number, skip = 0): number[] => {
      const batches = new NgramBatches({ ...plain, seed });
      take(batches, skip);
      return take(batches, 4).flatMap(({ examples }) => examples.map((example) => example[2] ?? -1));
    };
    expect(epochOf(1)).toEqual(epochOf(1));
    const orders = [epochOf(1), epochOf(2), epochOf(1, 4), Array.from(tokens)];
    for (const [at, order] of orders.entries()) {
      for (const other of orders.slice(at + 1)) {
        // Two random orders agree in about one place.
        expect(order.filter((element, place) => element === other[place]).length).toBeLessThan(10);
      }
    }
  });

  it('takes contexts from before first', () => {
    const [batch] = take(new NgramBatches({ ...plain, order: 3, first: 1, last: 3, shuffle: false, paddingId: 7 }), 1);
    expect(batch?.examples).toEqual([
      [7, 7, 0, 1],
      [7, 0, 1, 2],
    ]);
  });

  it('reuses its batches and arrays, for the smaller last one too', () => {
    const batches = new NgramBatches(plain);
    const round = (): NgramBatch[] => Array.from({ length: 4 }, () => batches.next());
    const [a, b, c, smaller] = round();
    expect(a === b && b === c).toBe(true);
    expect(smaller?.size).toBe(100);
    const parts = (batch: NgramBatch | undefined): unknown[] => [
      batch,
      batch?.contexts,
      batch?.targets,
      batch?.targetIds,
    ];
    const before = [...parts(a), ...parts(smaller)];
    const second = round();
    [...parts(second[0]), ...parts(second[3])].forEach((part, at) => {
      expect(part).toBe(before[at]);
    });
    expect(smaller?.contexts.buffer).toBe(a?.contexts.buffer);
  });

  it('seeks a cursor taken with another batch size', () => {
    const batches = new NgramBatches({ ...plain, shuffle: false });
    batches.seek({ epoch: 3, position: 750, seed: 0, examples: 1000 });
    const [batch] = take(batches, 1);
    expect([batch?.examples.length, batch?.examples[0], batch?.epoch, batch?.endOfEpoch]).toEqual([
      250,
      [748, 749, 750],
      3,
      true,
    ]);
    expect(batches.cursor()).toEqual({ epoch: 4, position: 0, seed: 0, examples: 1000 });
    // After a last batch of 250 the ordinary one of 100 must come in its own size again.
    expect(take(batches, 4).map(({ examples }) => examples.length)).toEqual([300, 300, 300, 100]);
  });

  it('rejects cursors that do not fit, and stays where it was', async () => {
    const batches = new NgramBatches(plain);
    take(batches, 2);
    const cursor = batches.cursor();
    const bad: [unknown, string][] = [
      [null, 'got null'],
      [
        { ...cursor, examples: 900 },
        'the cursor belongs to data of 900 examples, this has 1000; resume with the same text, vocabulary and range',
      ],
      [{ ...cursor, position: 1000 }, 'position is 1000; an integer in 0..999 is needed'],
      [{ ...cursor, epoch: -1 }, 'epoch is -1'],
      [{ ...cursor, seed: '1' }, 'seed is "1"'],
    ];
    for (const [value, message] of bad)
      expect(
        await thrownBy(() => {
          batches.seek(value);
        }),
      ).toContain(`bad-cursor: NgramBatches.seek: ${message}`);
    expect(batches.cursor()).toEqual(cursor);
  });

  it.each<[string, Partial<NgramBatchesOptions>, string]>([
    ['no tokens', { tokens: new Int32Array(0) }, 'empty-input: NgramBatches: the text has no tokens'],
    ['an empty range', { first: 5, last: 5 }, 'empty-input: NgramBatches: first and last are both 5'],
    [
      'a range beyond the text',
      { last: 1001 },
      'bad-option: NgramBatches: last is 1001; an integer in 0..1000 is needed',
    ],
    ['a reversed range', { first: 6, last: 5 }, 'bad-option: NgramBatches: first is 6; an integer in 0..5 is needed'],
    [
      'a token that is no class',
      { classes: 500 },
      'index-out-of-range: NgramBatches: the token at position 500 is 500, but there are 500 classes',
    ],
    [
      'a negative token',
      { tokens: Int32Array.of(1, -2) },
      'index-out-of-range: NgramBatches: the token at position 1 is -2',
    ],
    ['an order of 0', { order: 0 }, 'bad-option: NgramBatches: order is 0'],
    ['a batch of none', { batchSize: 0 }, 'bad-option: NgramBatches: batchSize is 0'],
    ['a fractional seed', { seed: 0.5 }, 'bad-option: NgramBatches: seed is 0.5'],
    [
      'a padding id beyond the padding row',
      { paddingId: 1001 },
      'bad-option: NgramBatches: paddingId is 1001; an integer in 0..1000 is needed',
    ],
  ])('rejects %s', async (_, change, message) => {
    expect(await thrownBy(() => new NgramBatches({ ...plain, ...change }))).toContain(message);
  });
});
