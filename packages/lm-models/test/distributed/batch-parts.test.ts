import {
  BatchParts,
  createSequenceSlice,
  ownStreams,
  sliceNgramBatch,
  sliceSparseBatch,
} from '@vastmax/lm-models/distributed';
import {
  NgramBatches,
  RandomGenerator,
  SequenceBatches,
  validateCsrRows,
  WindowBatches,
  type CsrRows,
  type SparseBatch,
} from '@vastmax/sparse-data';
import { expect, it } from 'vitest';
import type { TensorSource } from '@vastmax/linalg-core/state';

const random = new RandomGenerator(2);
const tokens = Int32Array.from({ length: 50 }, () => random.integer(9));

function listsOf(rows: CsrRows): unknown[] {
  validateCsrRows(rows);
  const { offsets, indices, values } = rows;
  return Array.from({ length: rows.rows }, (_, row) =>
    Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_entry, i) => [
      indices[offsets[row]! + i],
      values?.[offsets[row]! + i],
    ]),
  );
}

it.each([1, 2, 3, 8])(
  'the parts of %i ranks are the minibatches of n-grams, in order, with one cursor',
  async (size) => {
    const create = (): NgramBatches =>
      new NgramBatches({ tokens, classes: 9, order: 2, batchSize: 7, paddingId: 0, seed: 3 });
    const whole = create();
    const parts = Array.from({ length: size }, (_, rank) => new BatchParts(create(), { rank, size }, sliceNgramBatch));
    for (let step = 0; step < 20; step++) {
      const { size: examples, contexts, targetIds, targets, epoch, endOfEpoch } = whole.next();
      const each = await Promise.all(parts.map((part) => part.next()));
      expect(each.flatMap((part) => Array.from(part.contexts))).toEqual(Array.from(contexts.subarray(0, 2 * examples)));
      expect(each.flatMap((part) => Array.from(part.targetIds))).toEqual(Array.from(targetIds.subarray(0, examples)));
      expect(each.flatMap((part) => listsOf(part.targets))).toEqual(listsOf(targets));
      expect(each.every((part) => part.epoch === epoch && part.endOfEpoch === endOfEpoch)).toBe(true);
      // Even, but for one.
      const sizes = each.map((part) => part.size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      for (const part of parts) expect(part.cursor()).toEqual(whole.cursor());
    }
    const [first] = parts;
    first?.seek(create().cursor());
    expect(first?.cursor()).toEqual(create().cursor());
    expect(first?.examplesPerEpoch).toBe(50);
  },
);

it('the parts of sparse minibatches are their rows, weights and all', async () => {
  const create = (): WindowBatches =>
    new WindowBatches({ tokens, classes: 9, before: 2, after: 2, predict: 'context', batchSize: 6, seed: 3 });
  const whole = create();
  const parts = [0, 1, 2].map((rank) => new BatchParts<SparseBatch>(create(), { rank, size: 3 }, sliceSparseBatch));
  for (let step = 0; step < 12; step++) {
    const { inputs, targets, examples } = whole.next();
    const each = await Promise.all(parts.map((part) => part.next()));
    expect(each.flatMap((part) => listsOf(part.inputs))).toEqual(listsOf(inputs));
    expect(each.flatMap((part) => listsOf(part.targets))).toEqual(listsOf(targets));
    expect(each.flatMap((part) => Array.from(part.examples))).toEqual(Array.from(examples));
  }
});

it.each([1, 2, 3])('the parts of %i ranks are the streams of the text, each with one rank throughout', async (size) => {
  // 50 tokens in 4 streams: two end a step before the others.
  const create = (): SequenceBatches => new SequenceBatches({ tokens, classes: 9, streams: 4, steps: 5, paddingId: 0 });
  const whole = create();
  const parts = Array.from(
    { length: size },
    (_, rank) => new BatchParts(create(), { rank, size }, createSequenceSlice()),
  );
  for (let step = 0; step < 8; step++) {
    const {
      steps,
      streams,
      inputs,
      starts,
      predicted,
      targetIds,
      targets,
      size: examples,
      epoch,
      endOfEpoch,
    } = whole.next();
    const expected: unknown[] = Array.from(inputs, (input, row) => [input, starts[row]]);
    for (let example = 0; example < examples; example++)
      expected[predicted?.[example] ?? example] = [
        inputs[predicted?.[example] ?? example],
        starts[predicted?.[example] ?? example],
        targetIds[example],
      ];
    const found: unknown[] = [];
    let first = 0;
    for (const part of parts) {
      const own = await part.next();
      expect(own).toMatchObject({ steps, epoch, endOfEpoch });
      expect(own.targets.columns).toBe(targets.columns);
      expect(listsOf(own.targets)).toHaveLength(own.size);
      const rowOf = (row: number): number => Math.floor(row / own.streams) * streams + first + (row % own.streams);
      for (let row = 0; row < steps * own.streams; row++) found[rowOf(row)] = [own.inputs[row], own.starts[row]];
      for (let example = 0; example < own.size; example++) {
        const row = own.predicted?.[example] ?? example;
        found[rowOf(row)] = [own.inputs[row], own.starts[row], own.targetIds[example]];
      }
      first += own.streams;
    }
    expect(first).toBe(4);
    expect(found).toEqual(expected);
  }
});

it('ranks without a stream are refused', async () => {
  const batches = new SequenceBatches({ tokens, classes: 9, streams: 2, steps: 5, paddingId: 0 });
  await expect(new BatchParts(batches, { rank: 0, size: 3 }, createSequenceSlice()).next()).rejects.toThrow(
    'training over 3 ranks: the minibatches have 2 streams; each rank needs one at least',
  );
});

it('a rank takes its own streams of what is carried, and everything else', async () => {
  const tensor = (name: string, rows: number): TensorSource => ({
    name,
    precision: 'f64',
    rows,
    columns: 2,
    read: (first, count) => Promise.resolve(Float64Array.from({ length: 2 * count }, (_, i) => 2 * first + i)),
  });
  const whole = { configuration: { streams: 5, cell: 'gru' }, tensors: [tensor('weights', 5), tensor('carried.0', 5)] };
  const seen: number[] = [];
  for (const rank of [0, 1]) {
    const { configuration, tensors } = ownStreams(whole, { rank, size: 2 });
    expect(configuration).toEqual({ streams: rank === 0 ? 2 : 3, cell: 'gru' });
    const [weights, carried] = tensors;
    expect(weights?.rows).toBe(5);
    seen.push(...((await carried?.read(0, carried.rows)) ?? []));
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(ownStreams({ configuration: {}, tensors: [] }, { rank: 0, size: 2 })).toEqual({
    configuration: {},
    tensors: [],
  });
});
