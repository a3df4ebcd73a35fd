import { BatchParts, sliceNgramBatch, sliceSparseBatch } from '@vastmax/distributed-mpi';
import { NgramBatches, RandomGenerator, validateCsrRows, WindowBatches, type CsrRows, type SparseBatch } from '@vastmax/sparse-data';
import { expect, it } from 'vitest';

const random = new RandomGenerator(2);
const tokens = Int32Array.from({ length: 50 }, () => random.integer(9));

function listsOf(rows: CsrRows): unknown[] {
  validateCsrRows(rows);
  const { offsets, indices, values } = rows;
  return Array.from({ length: rows.rows }, (_, row) =>
    Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_entry, i) => [indices[offsets[row]! + i], values?.[offsets[row]! + i]]),
  );
}

it.each([1, 2, 3, 8])('the parts of %i ranks are the minibatches of n-grams, in order, with one cursor', async (size) => {
  const create = (): NgramBatches => new NgramBatches({ tokens, classes: 9, order: 2, batchSize: 7, paddingId: 0, seed: 3 });
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
});

it('the parts of sparse minibatches are their rows, weights and all', async () => {
  const create = (): WindowBatches => new WindowBatches({ tokens, classes: 9, before: 2, after: 2, predict: 'context', batchSize: 6, seed: 3 });
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
