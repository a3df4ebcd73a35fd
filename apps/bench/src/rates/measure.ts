/**
 * `bench rates`: what the default rates of a classifier reach beside the best of a grid about them. The grid is tried on
 * a part of the training points; the best of it and the defaults are then trained on all and tested once.
 */
import { bagModelShape, createNetwork, outputLayerOf, Trainer } from '@vastmax/lm-models';
import { classifierTraining } from '@vastmax/lm-models/labels';
import { evaluateMultiLabel } from '@vastmax/lm-models/metrics';
import { columnCounts, SparseBatches } from '@vastmax/sparse-data';
import { defaultOutput } from '../jobs/labels/default-output.ts';
import { nullIfDiverged, trainToTheEnd, type JobContext } from '../jobs/train-to-the-end.ts';
import type { RateTry } from '../quality-rates/measure.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { LabelJob, LabelRows } from './label-jobs.ts';

export interface LabelRatesRow {
  readonly job: string;
  readonly layer: string;
  readonly outputRule: string;
  readonly default: MeasuredRates;
  /** Of those tried; null where all diverged. */
  readonly best: MeasuredRates | null;
  /** P@1 of the default by that of the best. */
  readonly ratio: number | null;
  readonly tried: readonly MeasuredRates[];
}

interface MeasuredRates {
  readonly outputRate: number;
  readonly bodyRate: number;
  /** Null where training diverged. */
  readonly precisionAt1: number | null;
}

export interface LabelRatesReport {
  readonly bench: 'rates';
  readonly machine: Machine;
  readonly seed: number;
  readonly rows: readonly LabelRatesRow[];
}

export interface LabelRatesOptions {
  /** Losses of the factored layer, and other layers. */
  readonly layers: readonly string[];
  /** Factors on the defaults. */
  readonly tries: readonly RateTry[];
  /** Test points ranked, at most. */
  readonly evaluate: number;
  /** Power of the preconditioner of the factored layer; none unless given. */
  readonly precondition?: 0.5 | 1;
}

export async function measureLabelRates(
  context: Omit<JobContext, 'data'>,
  jobs: readonly LabelJob[],
  { layers, tries, evaluate, precondition }: LabelRatesOptions,
): Promise<LabelRatesReport> {
  const rows: LabelRatesRow[] = [];
  for (const job of jobs) {
    for (const layer of layers) {
      const { outputRate, bodyRate, outputRule } = classifierTraining(layer, { updates: updatesIn(job) });
      const measure = async (
        train: LabelRows,
        test: LabelRows,
        rates: RateTry,
        stage: string,
      ): Promise<MeasuredRates> => {
        const tried = { outputRate: outputRate * rates.output, bodyRate: bodyRate * rates.body };
        const precisionAt1 = await nullIfDiverged(
          precisionOf(context, job, {
            layer,
            ...tried,
            train,
            test,
            evaluate,
            precondition,
            stage: `${job.name}, ${layer}, ${stage}`,
          }),
        );
        return { ...tried, precisionAt1 };
      };
      const tried: MeasuredRates[] = [];
      for (const each of tries)
        tried.push(await measure(job.tuning.train, job.tuning.test, each, `${each.output}x${each.body}`));
      const [first] = tries.map((_, i) => i).sort((a, b) => scoreOf(tried[b]) - scoreOf(tried[a]));
      const byDefault = await measure(job.train, job.test, { output: 1, body: 1 }, 'defaults');
      const chosen = tries[first ?? 0];
      const isDefault = chosen?.output === 1 && chosen.body === 1;
      const best =
        chosen === undefined || scoreOf(tried[first ?? 0]) < 0
          ? null
          : isDefault
            ? byDefault
            : await measure(job.train, job.test, chosen, 'best');
      rows.push({
        job: job.name,
        layer,
        outputRule: outputRule ?? 'sgd',
        default: byDefault,
        best,
        ratio: best?.precisionAt1 == null ? null : (byDefault.precisionAt1 ?? 0) / best.precisionAt1,
        tried,
      });
    }
  }
  return { bench: 'rates', machine: describeMachine(), seed: context.seed, rows };
}

const scoreOf = (measured: MeasuredRates | undefined): number => measured?.precisionAt1 ?? -1;

/** How often a feature occurs in a run, as `vastmax train` counts. */
function updatesIn({ train, epochs }: LabelJob): number {
  const { inputs } = train.points;
  const used = columnCounts(inputs).filter((count) => count > 0).length;
  return (epochs * inputs.indices.length) / used;
}

interface Run {
  readonly layer: string;
  readonly outputRate: number;
  readonly bodyRate: number;
  readonly train: LabelRows;
  readonly test: LabelRows;
  readonly evaluate: number;
  readonly precondition: 0.5 | 1 | undefined;
  readonly stage: string;
}

async function precisionOf(
  { backend, seed, seconds, show }: Omit<JobContext, 'data'>,
  { shape, embedding, batch, epochs }: LabelJob,
  { layer, outputRate, bodyRate, train, test, evaluate, precondition, stage }: Run,
): Promise<number> {
  const plain = defaultOutput(layer, seed);
  const output = plain.kind === 'factored' && precondition !== undefined ? { ...plain, precondition } : plain;
  const { points, rows } = train;
  using network = await createNetwork(
    backend,
    { inputs: points.inputs.columns, frequencies: columnCounts(points.targets) },
    { body: { kind: 'bag', ...bagModelShape(shape), embedding, seed }, output },
  );
  const targetWeights = outputLayerOf(output.kind).abilities.targetWeights(output);
  const batches = new SparseBatches({ ...points, ...(rows && { rows }), batchSize: batch, seed, targetWeights });
  using trainer = new Trainer(network, batches, {
    outputRate,
    bodyRate,
    optimizer: 'adam',
    schedule: 'linear',
    examples: epochs * batches.examplesPerEpoch,
    ...(seconds === undefined ? {} : { maximumSeconds: seconds }),
  });
  await trainToTheEnd(trainer, stage, show);
  const held = new SparseBatches({ ...test.points, ...(test.rows && { rows: test.rows }), batchSize: 256, seed });
  const { atK } = await evaluateMultiLabel(network, held, { ks: [1], limit: evaluate });
  return atK[0]?.precision ?? Number.NaN;
}
