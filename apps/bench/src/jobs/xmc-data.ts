/**
 * Bibtex as published, with its test set; Delicious, of which there is the training set alone, divided by a hash of the
 * line number.
 */
import { createHashSplit } from '@vastmax/sparse-data';
import { xmcRows, type XmcPoint, type XmcRows } from '@vastmax/sparse-data/records';
import { readXmc } from '@vastmax/sparse-data/node';
import { findJobFile, jobFile } from './job-files.ts';

export interface XmcData {
  readonly name: string;
  /** How the test points were chosen. */
  readonly split: string;
  readonly train: XmcRows;
  /** Apart from `train`: what rates are tried on, and what they are trained on. */
  readonly tuning: { readonly train: XmcRows; readonly test: XmcRows };
  readonly test: XmcRows;
}

export const xmcNames = ['bibtex', 'delicious'] as const;

const testShare = 0.2;
const tuningShare = 0.15;

export async function readXmcData(data: string, name: (typeof xmcNames)[number], seed: number): Promise<XmcData> {
  const points = await pointsOf(jobFile(data, 'xmc', `${name}_train.txt`));
  const testFile = findJobFile(data, 'xmc', `${name}_test.txt`);
  const [train, test] = testFile === undefined ? divided(points, testShare, seed) : [points, await pointsOf(testFile)];
  const [tried, held] = divided(train, tuningShare, seed + 1);
  return {
    name,
    split: testFile === undefined ? `a random ${100 * testShare} % of the training file` : 'the published one',
    train: xmcRows(train),
    tuning: { train: xmcRows(tried), test: xmcRows(held) },
    test: xmcRows(test),
  };
}

async function pointsOf(path: string): Promise<XmcPoint[]> {
  const points: XmcPoint[] = [];
  for await (const point of readXmc(path)) points.push(point);
  return points;
}

function divided(points: readonly XmcPoint[], share: number, seed: number): [rest: XmcPoint[], part: XmcPoint[]] {
  const partOf = createHashSplit({ rest: 1 - share, part: share }, { seed });
  const isPart = points.map(({ line }) => partOf(String(line)) === 'part');
  return [points.filter((_, i) => isPart[i] !== true), points.filter((_, i) => isPart[i] === true)];
}
