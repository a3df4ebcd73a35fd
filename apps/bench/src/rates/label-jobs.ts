/** The data of `bench rates`: labels by falling frequency, a part of the training points to try rates on, and a test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BagModelName } from '@vastmax/lm-models';
import { columnCounts, columnsByFrequency, IndexPermutation, renumberColumns } from '@vastmax/sparse-data';
import type { XmcRows } from '@vastmax/sparse-data/records';
import { writeLabelledLines, type LabelledLinesOptions } from '../jobs/labels/labelled-lines.ts';
import { readLabelledFile } from '../jobs/labels/read-labelled.ts';
import { readXmcData, xmcNames } from '../jobs/xmc-data.ts';

export const labelJobNames = [...xmcNames, 'labels'] as const;
export type LabelJobName = (typeof labelJobNames)[number];

export interface LabelRows {
  readonly points: Pick<XmcRows, 'inputs' | 'targets'>;
  /** All unless given. */
  readonly rows?: Int32Array;
}

export interface LabelJob {
  readonly name: string;
  readonly shape: BagModelName;
  readonly embedding: number;
  readonly batch: number;
  readonly epochs: number;
  readonly train: LabelRows;
  readonly test: LabelRows;
  readonly tuning: { readonly train: LabelRows; readonly test: LabelRows };
}

export async function readXmcJob(data: string, name: (typeof xmcNames)[number], seed: number): Promise<LabelJob> {
  const { train, test, tuning } = await readXmcData(data, name, seed);
  const ordered = inOrderOf(train.targets);
  return {
    name,
    shape: 'classifier',
    embedding: 256,
    batch: 64,
    epochs: name === 'bibtex' ? 15 : 8,
    train: { points: ordered(train) },
    test: { points: ordered(test) },
    tuning: { train: { points: ordered(tuning.train) }, test: { points: ordered(tuning.test) } },
  };
}

/** The job of `bench jobs --job labels`. One line in twenty is held out to try rates on. */
export async function generateLabelsJob(options: LabelledLinesOptions, seed: number): Promise<LabelJob> {
  const folder = mkdtempSync(join(tmpdir(), 'vastmax-rates-'));
  try {
    const [trainFile, testFile] = [join(folder, 'train.txt'), join(folder, 'test.txt')];
    writeLabelledLines(trainFile, testFile, options, seed);
    const file = await readLabelledFile(trainFile);
    const points = file.rows;
    const order = new IndexPermutation(options.lines, seed);
    const rows = Int32Array.from({ length: options.lines }, (_, place) => order.at(place));
    const held = Math.ceil(options.lines / 20);
    return {
      name: 'labels',
      shape: 'text-classifier',
      embedding: 128,
      batch: 256,
      epochs: 1,
      train: { points },
      test: { points: await file.read(testFile) },
      tuning: { train: { points, rows: rows.subarray(held) }, test: { points, rows: rows.subarray(0, held) } },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inOrderOf(targets: XmcRows['targets']): (points: LabelRows['points']) => LabelRows['points'] {
  const order = columnsByFrequency(columnCounts(targets));
  return (points) => ({ inputs: points.inputs, targets: renumberColumns(points.targets, order) });
}
