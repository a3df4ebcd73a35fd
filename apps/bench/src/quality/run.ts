/** One training of `bench quality` and the ranking of the held-out words after it. */
import type { Backend } from '@vastmax/linalg-core';
import { TrainingDivergedError, type TrainingProgress } from '@vastmax/lm-models';
import type { BackendName } from '../measurement/backend-choice.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { LayerSettings } from '../workload/layer-settings.ts';
import type { QualityCorpus } from './corpus.ts';
import {
  type BodySizes,
  createQualityModel,
  type QualityModel,
  type QualityModelOptions,
  qualityModelOptions,
  type QualityTrainer,
} from './model.ts';
import type { Outcomes } from './outcomes.ts';

export type QualitySetting = 'equal-examples' | 'equal-time' | 'tuning';

/** Everything that a run follows from: two runs with equal settings differ only by the time that they took. */
export interface RunSettings {
  readonly corpus: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly layer: string;
  readonly loss: string;
  readonly setting: QualitySetting;
  readonly seed: number;
  readonly outputRate: number;
  readonly bodyRate: number;
  /** To be seen; null when time alone ends the training. */
  readonly examples: number | null;
  readonly maximumSeconds: number | null;
  readonly model: QualityModelOptions;
  readonly batch: number;
  /** Held-out words ranked at most; 0 for all. */
  readonly evaluate: number;
  readonly bandStarts: readonly number[];
  readonly backend: BackendName;
  readonly threads: number;
}

export interface RunResult {
  /** Of training; evaluations are not in it. */
  readonly seconds: number;
  readonly examples: number;
  readonly evaluationSeconds: number;
  /** Why the training failed. */
  readonly diverged: string | null;
  /** Null for a training that failed. */
  readonly outcomes: Outcomes | null;
}

export interface RunPlan extends BodySizes {
  readonly setting: QualitySetting;
  readonly seed: number;
  readonly examples: number | null;
  readonly maximumSeconds: number | null;
  readonly batch: number;
  readonly evaluate: number;
  readonly backend: BackendName;
  readonly threads: number;
}

/** The 2,000 most frequent classes, the next 8,000, the rest. */
const bands = [2000, 10_000];

export function settingsOf(
  { name, layer, loss, outputRate, bodyRate, output }: LayerSettings,
  corpus: QualityCorpus,
  plan: RunPlan,
): RunSettings {
  const { seed, setting, examples, maximumSeconds, batch, evaluate, backend, threads } = plan;
  return {
    corpus: corpus.name,
    fingerprint: corpus.fingerprint,
    name,
    layer,
    loss,
    setting,
    seed,
    outputRate,
    // Adam's steps do not depend on the size of the gradients that an output layer hands down.
    bodyRate: plan.sequences?.bodyRate ?? bodyRate,
    examples,
    maximumSeconds,
    model: qualityModelOptions(plan, output, seed),
    batch,
    evaluate,
    bandStarts: [0, ...bands.filter((start) => start < corpus.vocabulary.size)],
    backend,
    threads,
  };
}

/** On the mean loss, both rates decayed linearly to 5 %. A training that diverges has a result that says so. */
export async function runQuality(
  backend: Backend,
  corpus: QualityCorpus,
  settings: RunSettings,
  show: ShowStage,
): Promise<RunResult> {
  using model = await createQualityModel(backend, corpus, settings.model, settings.batch, settings.seed);
  using trainer = model.createTrainer({
    bodyRate: settings.bodyRate,
    outputRate: settings.outputRate,
    examples: settings.examples ?? Number.MAX_SAFE_INTEGER,
    ...(settings.maximumSeconds === null ? {} : { maximumSeconds: settings.maximumSeconds }),
  });
  const stage = `${settings.name}, ${settings.setting}, seed ${settings.seed}`;
  const { seconds, diverged } = await train(trainer, (progress) => {
    show(
      stage,
      `${(100 * progress.progress).toFixed(0)} % in ${progress.seconds.toFixed(0)} s, loss ${progress.loss.toFixed(3)}`,
    );
  });
  if (diverged !== null) return { seconds, examples: trainer.examples, evaluationSeconds: 0, diverged, outcomes: null };
  const start = performance.now();
  const outcomes = await rankHeldOut(model, corpus, settings, (share) => {
    show(stage, `trained in ${seconds.toFixed(0)} s, ranking ${(100 * share).toFixed(0)} %`);
  });
  return {
    seconds,
    examples: trainer.examples,
    evaluationSeconds: (performance.now() - start) / 1000,
    diverged: null,
    outcomes,
  };
}

async function train(
  trainer: QualityTrainer,
  onProgress: (event: TrainingProgress) => void,
): Promise<{ seconds: number; diverged: string | null }> {
  let seconds = 0;
  try {
    for await (const event of trainer.run()) {
      if (event.type === 'progress') onProgress(event);
      if (event.type === 'progress' || event.type === 'finished') seconds = event.seconds;
    }
    return { seconds, diverged: null };
  } catch (error) {
    if (!(error instanceof TrainingDivergedError)) throw error;
    return { seconds, diverged: `diverged at step ${error.step}` };
  }
}

async function rankHeldOut(
  model: QualityModel,
  { heldOut }: QualityCorpus,
  { evaluate, bandStarts }: RunSettings,
  onShare: (share: number) => void,
): Promise<Outcomes> {
  const count = Math.min(evaluate === 0 ? Infinity : evaluate, heldOut.last - heldOut.first);
  const ranks = new Int32Array(count);
  const losses = new Float64Array(count);
  const bandsOfTargets = new Uint8Array(count);
  let example = 0;
  await model.rankHeldOut(count, {
    onExample: (target, rank, loss) => {
      ranks[example] = rank;
      losses[example] = loss;
      bandsOfTargets[example] = bandStarts.findLastIndex((start) => start <= target);
      example++;
    },
    onProgress: (done, total) => {
      onShare(done / total);
    },
  });
  return { ranks, losses: model.output.isNormalized ? losses : null, bands: bandsOfTargets };
}
