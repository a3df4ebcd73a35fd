/**
 * Which output layer a job takes when none is named: the first row of a table that fits, by what
 * docs/which-output-layer.md measured, unless log-softmax over all classes costs no more than it. Figures of other layers
 * on a GPU do not exist, so the backend decides nothing.
 */
import type { OutputLayerChoice, OutputLayerName } from './output-layer-choice.ts';
import type { StepSizes } from './output-layer-entry.ts';
import { outputLayerNames, outputLayerOf } from './registry.ts';

/** What `chooseOutputLayer` looks at: what is predicted, and the sizes of a step. */
export interface OutputLayerJob extends StepSizes {
  /** Words that follow a text, or labels of a point or text. */
  readonly job: 'words' | 'labels';
  /** Targets of an example on average; 1 unless given. */
  readonly targetsPerExample?: number;
  /** Whether the classes are to be distributed over several ranks. */
  readonly overRanks?: boolean;
}

/** The output layer that was chosen, and why. */
export interface AutomaticLayer {
  readonly layer: OutputLayerName;
  /** Why, for people: what follows `sampled: 33,278 words; `. */
  readonly reason: string;
}

interface Row extends AutomaticLayer {
  readonly job: OutputLayerJob['job'];
  readonly maxClasses?: number;
  readonly minTargets?: number;
}

const rows: readonly Row[] = [
  {
    job: 'words',
    layer: 'sampled',
    // The largest vocabulary that was measured, gcide, has 108,416 words.
    maxClasses: 150_000,
    reason: 'near the quality of log-softmax in the shortest time',
  },
  {
    job: 'words',
    layer: 'hybrid',
    reason: 'probabilities by an exact gradient, at a cost that does not depend on the number of words',
  },
  {
    job: 'labels',
    layer: 'factored',
    minTargets: 2,
    reason: 'several labels an example, and none are drawn to tell them from',
  },
  { job: 'labels', layer: 'sampled', reason: 'near the quality of log-softmax in the shortest time' },
];

/**
 * @param among the layers to choose from, such as those that have the options that are given.
 * @returns one of them.
 */
export function chooseOutputLayer(
  job: OutputLayerJob,
  among: readonly OutputLayerName[] = outputLayerNames,
): AutomaticLayer {
  const { classes, targetsPerExample = 1, overRanks = false } = job;
  const possible = (layer: OutputLayerName): boolean =>
    among.includes(layer) && (!overRanks || outputLayerOf(layer).abilities.overRanks);
  const row = rows.find(
    ({ job: ofJob, layer, maxClasses = Infinity, minTargets = 0 }) =>
      ofJob === job.job && classes <= maxClasses && targetsPerExample >= minTargets && possible(layer),
  );
  const [first = 'full'] = [...among.filter(possible), ...among];
  const { layer, reason } = row ?? { layer: first, reason: 'it has the options that are given' };
  if (layer !== 'full' && possible('full') && operationsOf('full', job) <= operationsOf(layer, job))
    return { layer: 'full', reason: `log-softmax over all of them costs no more than ${layer}` };
  return { layer, reason };
}

/** Of a step with the layer's defaults. */
function operationsOf(kind: OutputLayerName, sizes: StepSizes): number {
  const { defaults, cost } = outputLayerOf(kind);
  return cost.operations(sizes, { kind, ...defaults } as unknown as OutputLayerChoice);
}
