import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csrFromLists, validateCsrRows } from '../../src/csr/csr-rows.ts';
import type { SequenceBatch } from '../../src/batches/sequence-batch.ts';
import { HistoryBatches } from '../../src/batches/history-batches.ts';
import { SequenceBatches, type SequenceBatchesOptions } from '../../src/batches/sequence-batches.ts';
import { SessionBatches, type SessionBatchesOptions } from '../../src/batches/session-batches.ts';
import { thrownBy } from '../thrown-by.ts';

interface Read {
  readonly input: number;
  readonly start: boolean;
  readonly target: number | undefined;
}

/** What each stream reads in an epoch, after checking that the batches are sound. */
function epochOf(batches: { next(): SequenceBatch }, streams: number): Read[][] {
  const read: Read[][] = Array.from({ length: streams }, () => []);
  for (;;) {
    const batch = batches.next();
    const rows = batch.steps * batch.streams;
    expect([batch.inputs.length, batch.starts.length, batch.targets.rows, batch.targetIds.length]).toEqual([
      rows,
      rows,
      batch.size,
      batch.size,
    ]);
    validateCsrRows(batch.targets);
    const predicted = batch.predicted ?? Int32Array.from({ length: rows }, (_, row) => row);
    expect(predicted.length).toBe(batch.size);
    for (let row = 0; row < rows; row++) {
      const example = predicted.indexOf(row);
      read[row % streams]!.push({
        input: batch.inputs[row]!,
        start: batch.starts[row] === 1,
        target: example < 0 ? undefined : batch.targetIds[example]!,
      });
    }
    if (batch.endOfEpoch) return read;
  }
}

const copied = ({ steps, inputs, starts, predicted, targetIds, epoch, endOfEpoch }: SequenceBatch): unknown => [
  steps,
  [...inputs],
  [...starts],
  predicted === undefined ? undefined : [...predicted],
  [...targetIds],
  epoch,
  endOfEpoch,
];
const take = (batches: { next(): SequenceBatch }, count: number): unknown[] =>
  Array.from({ length: count }, () => copied(batches.next()));

const options = fc
  .record({
    tokens: fc.int32Array({ min: 0, max: 9, minLength: 1, maxLength: 60 }),
    streams: fc.integer({ min: 1, max: 7 }),
    steps: fc.integer({ min: 1, max: 9 }),
    from: fc.nat(20),
  })
  .map(({ from, tokens, ...rest }): SequenceBatchesOptions => ({
    ...rest,
    tokens,
    classes: 10,
    paddingId: 4,
    first: Math.min(from, tokens.length - 1),
  }))
  .filter(({ tokens, streams, first = 0 }) => tokens.length - first >= streams);

describe('SequenceBatches', () => {
  it('reads the context of each minibatch again, without targets, and predicts each token once', () => {
    const tokens = Int32Array.from({ length: 11 }, (_, i) => i % 7);
    const batches = new SequenceBatches({ tokens, classes: 8, streams: 2, steps: 3, context: 2, paddingId: 7 });
    const [first, second] = epochOf(batches, 2);
    const reads: [number, boolean, number | undefined][] = [
      [7, true, undefined],
      [7, false, undefined],
      [7, false, 0],
      [0, false, 1],
      [1, false, 2],
      [0, true, undefined],
      [1, false, undefined],
      [2, false, 3],
      [3, false, 4],
      [4, false, undefined],
    ];
    expect(first).toEqual(reads.map(([input, start, target]) => ({ input, start, target })));
    expect(second?.filter(({ target }) => target !== undefined).map(({ target }) => target)).toEqual([
      5, 6, 0, 1, 2, 3,
    ]);
    // The stream begins with what stands before it in the text.
    expect(second?.[0]).toEqual({ input: 2, start: true, target: undefined });
    expect(() => new SequenceBatches({ tokens, classes: 8, streams: 2, steps: 3, context: -1, paddingId: 7 })).toThrow(
      'context',
    );
  });

  it('predicts every token once an epoch from the one before it, stream after stream', () => {
    fc.assert(
      fc.property(options, (each) => {
        const { tokens, streams, first = 0 } = each;
        const batches = new SequenceBatches(each);
        for (let epoch = 0; epoch < 2; epoch++) {
          const read = epochOf(batches, streams);
          const targets = read.flatMap((stream) => stream.flatMap(({ target }) => target ?? []));
          expect(targets).toEqual([...tokens.subarray(first)]);
          expect(batches.examplesPerEpoch).toBe(targets.length);
          let position = first;
          for (const stream of read) {
            for (const [place, { input, start, target }] of stream.entries()) {
              expect(start).toBe(place === 0);
              if (target === undefined) continue;
              expect(input).toBe(position === 0 ? 4 : tokens[position - 1]);
              position++;
            }
          }
        }
      }),
    );
  });

  it('resumes from a cursor exactly, with other steps as well', () => {
    fc.assert(
      fc.property(options, fc.nat(9), (each, before) => {
        const batches = new SequenceBatches(each);
        take(batches, before);
        const cursor = JSON.parse(JSON.stringify(batches.cursor())) as unknown;
        const expected = take(batches, 5);
        const resumed = new SequenceBatches(each);
        resumed.seek(cursor);
        expect(take(resumed, 5)).toEqual(expected);
        const longer = new SequenceBatches({ ...each, steps: each.steps + 1 });
        longer.seek(cursor);
        batches.seek(cursor);
        expect(longer.next().inputs.slice(0, each.streams)).toEqual(batches.next().inputs.slice(0, each.streams));
      }),
    );
  });

  const tokens = Int32Array.from({ length: 40 }, (_, i) => i);
  const plain: SequenceBatchesOptions = { tokens, classes: 40, streams: 3, steps: 5, paddingId: 0 };

  it('rejects cursors that do not fit, and stays where it was', async () => {
    const batches = new SequenceBatches(plain);
    take(batches, 2);
    const cursor = batches.cursor();
    expect(cursor).toEqual({ epoch: 0, position: 10, streams: 3, examples: 40 });
    const bad: [unknown, string][] = [
      [undefined, 'got undefined; an object as cursor() returns it is needed'],
      [{ ...cursor, streams: 4 }, 'data of 4 streams, this has 3; resume with the same text and streams'],
      [{ ...cursor, examples: 39 }, 'data of 39 examples, this has 40'],
      [{ ...cursor, position: 14 }, 'position is 14; an integer in 0..13 is needed'],
      [{ ...cursor, epoch: 0.5 }, 'epoch is 0.5'],
    ];
    for (const [value, message] of bad)
      expect(
        await thrownBy(() => {
          batches.seek(value);
        }),
      ).toContain(
        `bad-cursor: SequenceBatches.seek: ${message.startsWith('data') ? 'the cursor belongs to ' : ''}${message}`,
      );
    expect(batches.cursor()).toEqual(cursor);
  });

  it.each<[string, Partial<SequenceBatchesOptions>, string]>([
    ['more streams than tokens', { streams: 41 }, 'empty-input: SequenceBatches: 40 targets for 41 streams'],
    [
      'a token that is no class',
      { classes: 39 },
      'index-out-of-range: SequenceBatches: the token at position 39 is 39',
    ],
    ['no steps', { steps: 0 }, 'bad-option: SequenceBatches: steps is 0'],
    ['a padding id beyond the classes', { paddingId: 40 }, 'bad-option: SequenceBatches: paddingId is 40'],
    ['a range beyond the text', { last: 41 }, 'bad-option: SequenceBatches: last is 41'],
  ])('rejects %s', async (_, change, message) => {
    expect(await thrownBy(() => new SequenceBatches({ ...plain, ...change }))).toContain(message);
  });
});

const sessionLists = fc
  .array(fc.array(fc.nat(9), { maxLength: 8 }), { minLength: 1, maxLength: 12 })
  .filter((lists) => lists.some((list) => list.length > 1));

describe('SessionBatches', () => {
  it('reads every session of two items or more once an epoch, from its start to its end', () => {
    fc.assert(
      fc.property(
        sessionLists,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        fc.boolean(),
        (lists, streams, steps, seed, shuffle) => {
          const batches = new SessionBatches({ sessions: csrFromLists(lists, 10), streams, steps, seed, shuffle });
          const usable = lists.filter((list) => list.length > 1);
          for (let epoch = 0; epoch < 2; epoch++) {
            const sessions: number[][] = [];
            for (const stream of epochOf(batches, streams)) {
              for (const { input, start, target } of stream) {
                if (target === undefined) continue;
                if (start) sessions.push([input]);
                const session = sessions[sessions.length - 1]!;
                expect(session[session.length - 1]).toBe(input);
                session.push(target);
              }
            }
            expect(sessions.map(String).sort()).toEqual(usable.map(String).sort());
            if (!shuffle && streams === 1) expect(sessions).toEqual(usable);
          }
          expect(batches.examplesPerEpoch).toBe(usable.reduce((sum, list) => sum + list.length - 1, 0));
        },
      ),
    );
  });

  it('resumes from a cursor exactly', () => {
    fc.assert(
      fc.property(
        sessionLists,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(12),
        (lists, streams, steps, before) => {
          const plain: SessionBatchesOptions = { sessions: csrFromLists(lists, 10), streams, steps, seed: 4 };
          const batches = new SessionBatches(plain);
          take(batches, before);
          const cursor = JSON.parse(JSON.stringify(batches.cursor())) as unknown;
          const expected = take(batches, 6);
          const resumed = new SessionBatches({ ...plain, seed: 77 });
          resumed.seek(cursor);
          expect(take(resumed, 6)).toEqual(expected);
        },
      ),
    );
  });

  it('rejects sessions without a next item and cursors that do not fit', async () => {
    expect(
      await thrownBy(() => new SessionBatches({ sessions: csrFromLists([[1], []], 3), streams: 2, steps: 2 })),
    ).toContain('empty-input: SessionBatches: none of 2 sessions has two items');
    const batches = new SessionBatches({
      sessions: csrFromLists(
        [
          [1, 2, 0],
          [0, 1],
          [2, 2],
        ],
        3,
      ),
      streams: 2,
      steps: 1,
      shuffle: false,
    });
    batches.next();
    const cursor = batches.cursor();
    expect(cursor).toEqual({ epoch: 0, seed: 0, begun: 2, places: [0, -1], read: [1, 0], examples: 4 });
    const bad: [unknown, string][] = [
      [{ ...cursor, examples: 5 }, 'data of 5 examples, this has 4; resume with the same sessions'],
      [{ ...cursor, begun: 4 }, 'begun is 4; an integer in 0..3 is needed'],
      [
        { ...cursor, places: [0] },
        'places and read are an array of 1 and an array of 2; two lists of 2 (the streams) are needed',
      ],
      [{ ...cursor, places: [2, -1] }, 'places[0] + 1 is 3; an integer in 0..2 is needed'],
      [{ ...cursor, read: [2, 0] }, 'read[0] is 2; an integer in 0..1 is needed'],
    ];
    for (const [value, message] of bad)
      expect(
        await thrownBy(() => {
          batches.seek(value);
        }),
      ).toContain(message);
    expect(batches.cursor()).toEqual(cursor);
  });
});

describe('HistoryBatches', () => {
  const drawn = [sessionLists, fc.integer({ min: 1, max: 6 }), fc.nat(5), fc.nat()] as const;

  it('reads the end of every sequence of two items or more once an epoch, whole and without padding', () => {
    fc.assert(
      fc.property(...drawn, (lists, length, more, seed) => {
        const batchSize = length + more;
        const batches = new HistoryBatches({ histories: csrFromLists(lists, 10), length, batchSize, seed });
        const ends = lists.filter((list) => list.length > 1).map((list) => list.slice(-length - 1));
        for (let epoch = 0; epoch < 2; epoch++) {
          const [stream = []] = epochOf(batches, 1);
          const sequences: (number | undefined)[][] = [];
          for (const { input, start, target } of stream) {
            if (start) sequences.push([input]);
            const sequence = sequences[sequences.length - 1]!;
            expect(sequence[sequence.length - 1]).toBe(input);
            sequence.push(target);
          }
          expect(sequences.map(String).sort()).toEqual(ends.map(String).sort());
        }
        const { steps, starts, size } = batches.next();
        expect([starts[0], size <= batchSize, size]).toEqual([1, true, steps]);
      }),
    );
  });

  it('resumes from a cursor exactly, and rejects one that does not fit', async () => {
    const histories = csrFromLists([[1, 2, 0], [0, 1], [2, 2], [1]], 3);
    const plain = { histories, length: 2, batchSize: 2 };
    const batches = new HistoryBatches({ ...plain, seed: 4 });
    take(batches, 4);
    const cursor = JSON.parse(JSON.stringify(batches.cursor())) as object;
    const expected = take(batches, 6);
    const resumed = new HistoryBatches(plain);
    resumed.seek(cursor);
    expect(take(resumed, 6)).toEqual(expected);
    const place = resumed.cursor();
    for (const [value, message] of [
      [{ ...cursor, examples: 5 }, 'data of 5 examples, this has 4; resume with the same sequences and length'],
      [{ ...cursor, read: 3 }, 'read is 3; an integer in 0..2 is needed'],
    ] as const)
      expect(
        await thrownBy(() => {
          resumed.seek(value);
        }),
      ).toContain(message);
    expect(resumed.cursor()).toEqual(place);
    expect(await thrownBy(() => new HistoryBatches({ ...plain, histories: csrFromLists([[1], []], 3) }))).toContain(
      'empty-input: HistoryBatches: none of 2 sequences has two items',
    );
    expect(await thrownBy(() => new HistoryBatches({ ...plain, length: 3 }))).toContain('batchSize');
  });
});
