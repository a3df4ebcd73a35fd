/** The labels of each point of an XMC file, as JSON Lines. Only one batch of points is in memory. */
import { topClasses } from '@vastmax/lm-models';
import { readXmc } from '@vastmax/sparse-data/node';
import { writeResults } from '../terminal/standard-output.ts';
import { count, Progress } from '../terminal/terminal.ts';
import { checkShape, type LabelModel } from './label-model.ts';
import { xmcRows, type XmcPoint } from '@vastmax/sparse-data/records';

export interface LabelPredictionOptions {
  readonly top: number;
  /** Only labels with a score of at least this. */
  readonly threshold?: number;
  readonly batch: number;
  readonly signal: AbortSignal;
}

/**
 * Prints an object for each point: its line in the file, and its best labels with their scores. O(points · labels ·
 * width).
 */
export async function predictLabels(
  { network, order, shape }: LabelModel,
  path: string,
  options: LabelPredictionOptions,
): Promise<void> {
  const { top, threshold = -Infinity, batch, signal } = options;
  // On a terminal the results would overwrite the progress bar, so there is none.
  using progress = process.stdout.isTTY ? undefined : new Progress('predicting');
  let done = 0;
  let points: XmcPoint[] = [];
  const flush = async (): Promise<boolean> => {
    const { k, classes, scores } = await topClasses(
      network.output,
      network.computeHidden({ inputs: xmcRows(points).inputs }),
      Math.min(top, shape.labels),
      { signal },
    );
    const lines = points.map(({ line }, row) => {
      const best = Array.from(classes.subarray(row * k, (row + 1) * k), (index, place) => ({
        label: order[index] ?? -1,
        score: scores[row * k + place] ?? -Infinity,
      }));
      return `${JSON.stringify({ line, labels: best.filter(({ score }) => score >= threshold) })}\n`;
    });
    done += points.length;
    points = [];
    return writeResults(lines.join(''));
  };
  const stream = readXmc(path, {
    signal,
    onProgress: (read, total) => {
      progress?.update(read / total, [`${count(done)} points`]);
    },
  });
  try {
    for await (const point of stream) {
      if (points.length === 0) checkShape(path, point.shape, shape);
      points.push(point);
      if (points.length === batch && !(await flush())) return;
    }
  } finally {
    // The points before an invalid line are predicted too.
    if (points.length > 0) await flush();
  }
}
