/** XMC files straight from bytes to sparse rows: no object and no string for a point. */
import { endOfLine } from '../text/byte-lines.ts';
import type { LineBlocks } from '../texts/parse-labelled-texts.ts';
import { XmcReader, type XmcOptions, type XmcRows, type XmcShape } from './parse-xmc.ts';

/**
 * As {@link XmcOptions}; how many examples are read at a time, and who is told the shape and the number of points.
 */
export interface XmcRowsOptions extends XmcOptions {
  /** How many points are collected at a time; all unless given. */
  readonly batchSize?: number;
  /** Called once, as soon as the numbers of features and labels are known: it may refuse them. */
  readonly onShape?: (shape: XmcShape) => void;
  /** Called after each block with the number of points so far. */
  readonly onPoints?: (points: number) => void;
}

/** Some examples, and the line of each. */
export interface XmcBatch extends XmcRows {
  /** The number of each point's line, from 1; empty unless `batchSize` is given. */
  readonly lines: readonly number[];
}

/**
 * The points of a file in blocks of whole lines, `batchSize` at a time; none for a file without points. The arrays are
 * valid until the next batch. Inputs of which all values are 1 have none. O(bytes); memory: 12 bytes an entry (4 where all
 * values are 1), 4 bytes a label and 8 a point of a batch.
 * @throws SparseDataError on iteration, as parseXmc, after a batch of the points before the line that is wrong, if
 * `batchSize` is given.
 */
export async function* parseXmcRows(
  blocks: LineBlocks,
  options: XmcRowsOptions = {},
): AsyncGenerator<XmcBatch, void, undefined> {
  const { batchSize = Infinity, onShape, onPoints } = options;
  const reader = new XmcReader(options);
  let lines: number[] = [];
  let taken = 0;
  const take = (): XmcBatch => {
    const batch = { ...reader.take(), lines };
    lines = [];
    taken = reader.points;
    return batch;
  };
  if (options.shape !== undefined) onShape?.(options.shape);
  try {
    for await (const block of blocks) {
      for (let start = 0; start < block.length;) {
        const end = endOfLine(block, start);
        const isPoint = reader.readLine(block, start, end);
        start = end + 1;
        if (!isPoint) {
          if (reader.line === 1 && options.shape === undefined) onShape?.(reader.shape);
          continue;
        }
        if (batchSize === Infinity) continue;
        lines.push(reader.line);
        if (lines.length === batchSize) yield take();
      }
      onPoints?.(reader.points);
    }
    reader.end();
  } catch (error) {
    if (lines.length > 0) yield take();
    throw error;
  }
  if (reader.points > taken) yield take();
}
