/** `--class-weights` of `vastmax train`. */
import { readFile } from 'node:fs/promises';
import { parseJson, shown } from '@vastmax/checkpoints';
import { balancedClassWeights, classesOf, type LabelName } from '@vastmax/lm-models/labels';
import { classWeightingOf } from '../options/text-label-options.ts';
import { UsageError } from '../terminal/errors.ts';

/** The checkpoint's text with the weights of a file. */
export const classWeightsText = 'class-weights.json';

export interface LabelWeights {
  /** A number for each class. */
  readonly weights: Float64Array;
  /** What a checkpoint keeps, so that a resumed run has the same. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * @param choice `balanced`, `sqrt` or the path of a JSON file.
 * @param frequencies how often each class occurs.
 * @param saved the text of the file that a resumed run began with.
 * @throws UsageError for a file that is no object of numbers by labels.
 */
export async function readLabelWeights(
  choice: string,
  labels: ArrayLike<LabelName>,
  frequencies: ArrayLike<number>,
  saved?: string,
): Promise<LabelWeights> {
  const weighting = classWeightingOf(choice);
  if (weighting !== undefined) return { weights: balancedClassWeights(weighting, frequencies), texts: {} };
  const fail = (problem: string, cause?: unknown): never => {
    throw new UsageError(
      `--class-weights ${choice} ${problem}; balanced, sqrt, or a JSON file such as {"spam": 2, "other": 0.5} is needed`,
      { cause },
    );
  };
  const content =
    saved ??
    (await readFile(choice, 'utf8').catch((error: unknown) =>
      fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, error),
    ));
  const values = parseJson(content, { depth: 1, values: 2 * labels.length + 2 ** 18 }, fail);
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return fail(`is ${shown(values)}`);
  const classes = classesOf(labels);
  const weights = new Float64Array(labels.length).fill(1);
  for (const [label, weight] of Object.entries(values)) {
    const index = classes.get(label);
    if (index === undefined) return fail(`has ${JSON.stringify(label)}, which is none of the ${labels.length} labels`);
    if (typeof weight !== 'number' || !(weight >= 0 && weight < Infinity))
      return fail(`has ${shown(weight)} for ${JSON.stringify(label)}, no number of at least 0`);
    weights[index] = weight;
  }
  return { weights, texts: { [classWeightsText]: content } };
}
