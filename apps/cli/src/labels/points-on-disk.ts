/** `--points-on-disk`: the points of an XMC file stay in the file; a minibatch reads its own. */
import { renumberColumns } from '@vastmax/sparse-data';
import { openXmcFile, type LabelledInput } from '@vastmax/sparse-data/node';
import type { LabelFormat } from '@vastmax/sparse-data/records';
import type { TrainOptions } from '../options/training-options.ts';
import { UsageError } from '../terminal/errors.ts';
import { checkHeader, checkTrainingLabels, type ModelWidths } from './check-labels.ts';
import type { TrainingData } from './label-data.ts';
import { labelOrder } from './points-in-memory.ts';
import type { ReadingProgress } from './reading-progress.ts';

/** Begins `pointsHash` in the checkpoint of a run whose points are read from the file. */
const filePrefix = 'file:';

/**
 * Whether a run reads its points from the file: a new one where it is asked for, a resumed one as before.
 * @throws UsageError for texts.
 */
export function readsFromDisk(
  format: LabelFormat,
  { pointsOnDisk = false }: TrainOptions,
  pointsHash: unknown,
): boolean {
  if (pointsOnDisk && format !== 'xmc')
    throw new UsageError('--points-on-disk is of points with given features; the file has texts, leave it out');
  return pointsHash === undefined ? pointsOnDisk : String(pointsHash).startsWith(filePrefix);
}

/** Reads the file once, and keeps where its points are, and their labels. */
export async function readPlaces(
  path: string,
  { blocks, progress }: LabelledInput & { readonly progress: ReadingProgress },
  widths: ModelWidths,
): Promise<TrainingData> {
  // They were opened to tell the format.
  await blocks.return();
  const file = await openXmcFile(path, {
    onProgress: progress.onProgress,
    onShape: (shape) => {
      checkHeader(path, shape, widths);
    },
    onPoints: (points) => {
      progress.done = points;
    },
  });
  try {
    checkTrainingLabels(path, file);
    const labels = labelOrder(file);
    const { inputs, targets, entries, usedFeatures, hash } = file;
    return {
      inputs,
      targets: renumberColumns(targets, labels),
      labels,
      entries,
      occurrences: entries / Math.max(1, usedFeatures),
      fingerprint: `${filePrefix}${hash}`,
      [Symbol.dispose]: () => {
        file[Symbol.dispose]();
      },
    };
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}
