/**
 * Minibatches of the n-gram model straight from a text file: lines are read, taken apart and numbered as minibatches
 * are asked for, and no more than a block of the text is in memory. Examples are shuffled within the block, as a text
 * larger than memory allows.
 */
import {
  type NgramBatch,
  NgramBatches,
  type Vocabulary,
  vocabularyFromJSON,
  whitespaceTokens,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';

export interface StreamOptions {
  readonly path: string;
  readonly order: number;
  readonly batch: number;
  readonly seed: number;
}

export interface WorkerOptions extends StreamOptions {
  /** As `JSON.stringify(vocabulary)` has it. */
  readonly vocabulary: unknown;
}

const tokensPerBlock = 2 ** 17;
export const endOfLine = '<eos>';

/** One epoch of the file. A minibatch holds until the next is asked for. */
export async function* streamBatches(
  vocabulary: Vocabulary,
  { path, order, batch, seed }: StreamOptions,
): AsyncGenerator<NgramBatch, void, undefined> {
  const unknown = vocabulary.unknownId ?? 0;
  const lineEnd = vocabulary.idOf(endOfLine) ?? unknown;
  // The context of a block's first example is the end of the block before it.
  const block = new Int32Array(order + tokensPerBlock).fill(lineEnd);
  let filled = order;
  let number = 0;
  const examples = function* (isLast: boolean): Generator<NgramBatch, void, undefined> {
    const batches = new NgramBatches({
      tokens: block,
      first: order,
      last: filled,
      classes: vocabulary.size,
      order,
      batchSize: batch,
      paddingId: lineEnd,
      seed: seed + number++,
    });
    for (let next = batches.next(); ; next = batches.next()) {
      yield { ...next, endOfEpoch: next.endOfEpoch && isLast };
      if (next.endOfEpoch) break;
    }
    block.copyWithin(0, filled - order, filled);
    filled = order;
  };
  for await (const line of readLines(path)) {
    for (const word of whitespaceTokens(line)) {
      block[filled++] = vocabulary.idOf(word) ?? unknown;
      if (filled === block.length) yield* examples(false);
    }
    block[filled++] = lineEnd;
    if (filled === block.length) yield* examples(false);
  }
  if (filled > order) yield* examples(true);
}

/** The same in a worker, by stream-worker.mjs. */
export function streamBatchesInWorker({
  vocabulary,
  ...options
}: WorkerOptions): AsyncGenerator<NgramBatch, void, undefined> {
  return streamBatches(vocabularyFromJSON(vocabulary), options);
}
