/** The best labels of each vector of a file, as JSON Lines; a minibatch of vectors is in memory. */
import type { Precision } from '@vastmax/linalg-core';
import type { DenseClassifier } from '@vastmax/lm-models/labels';
import { labelsOfHidden } from '../labels/predict-labels.ts';
import type { FeatureInputOptions } from '../options/feature-options.ts';
import { writeResults } from '../terminal/standard-output.ts';
import { count, Progress } from '../terminal/terminal.ts';
import { checkWidth } from './dense-data.ts';
import { openVectors } from './open-vectors.ts';

interface DensePredictionOptions extends FeatureInputOptions {
  readonly top: number;
  readonly threshold?: number;
  readonly batch: number;
}

/**
 * Prints an object for each vector: its row in the file, from 1, its name where the file has names, its best labels.
 * @throws SparseDataError for a file that is wrong, or of vectors of another width.
 */
export async function predictVectors(
  { network, labels, features }: DenseClassifier,
  { features: file, featuresArray: array, batch, ...options }: DensePredictionOptions,
  signal: AbortSignal,
): Promise<void> {
  if (file === undefined) return;
  const precision: Precision = network.backend.precision;
  using vectors = await openVectors(file, { array, precision, signal });
  const { inputs, names } = vectors;
  const { rows, columns } = inputs;
  checkWidth(file, columns, features);
  // On a terminal the results would overwrite the progress bar, so there is none.
  using progress = process.stdout.isTTY ? undefined : new Progress('predicting');
  const values = precision === 'f64' ? new Float64Array(batch * columns) : new Float32Array(batch * columns);
  for (let first = 0; first < rows; first += batch) {
    const size = Math.min(batch, rows - first);
    const numbers = Int32Array.from({ length: size }, (_, row) => first + row);
    inputs.copyRows(numbers, values);
    const hidden = network.computeHidden({ inputs: { rows: size, columns, values } });
    const best = await labelsOfHidden(network.output, labels, hidden, { ...options, signal });
    progress?.update((first + size) / rows, [`${count(first + size)} examples`]);
    const lines = best.map((each, row) => {
      const name = names?.[first + row];
      return JSON.stringify({ row: first + row + 1, ...(name === undefined ? {} : { name }), labels: each });
    });
    if (!(await writeResults(`${lines.join('\n')}\n`))) return;
  }
}
