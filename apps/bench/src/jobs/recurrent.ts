/**
 * The job of language models: a network over the last words and a recurrent one, each with the losses of this project
 * and the log-softmax, at equal examples and at equal time. It is `bench quality` twice.
 */
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { readQualityCorpus } from '../quality/corpus.ts';
import { measureQuality } from '../quality/measure.ts';
import type { BodySizes } from '../quality/model.ts';
import type { QualityReport } from '../quality/summarize-runs.ts';
import { parseLayerSettingsList } from '../workload/layer-settings.ts';
import { jobFile } from './job-files.ts';
import type { JobContext } from './train-to-the-end.ts';

export interface RecurrentSettings {
  /** With commas between, as `bench quality --layers` has them. */
  readonly layers: string;
  readonly models: readonly (BodySizes & { readonly batch: number })[];
  /** Of the runs at equal examples. */
  readonly examples: number;
  /** Of those at equal time. */
  readonly budgetSeconds: number;
  /** Held-out words ranked. */
  readonly evaluate: number;
}

export interface RecurrentResult {
  readonly job: 'recurrent';
  /** One for each model. */
  readonly reports: readonly QualityReport[];
}

const sizes = { order: 5, embedding: 100, hidden: [128] } as const;

const recurrentSettings: RecurrentSettings = {
  layers: 'z-loss,spherical-softmax,taylor-softmax,hybrid,full',
  models: [
    { ...sizes, batch: 256 },
    { ...sizes, batch: 640, sequences: { model: 'lstm', steps: 20, bodyRate: 0.003 } },
  ],
  examples: 200_000,
  budgetSeconds: 45,
  evaluate: 5000,
};

export async function measureRecurrent(
  { backend, data, seed, seconds, show }: JobContext,
  inUse: BackendInUse,
  settings: RecurrentSettings = recurrentSettings,
): Promise<RecurrentResult> {
  const { layers, models, examples, budgetSeconds, evaluate } = settings;
  show('recurrent: reading the text');
  const files = {
    train: jobFile(data, 'wikitext-2', 'wiki.train.tokens'),
    valid: jobFile(data, 'wikitext-2', 'wiki.valid.tokens'),
  };
  const corpus = await readQualityCorpus(files);
  const reports: QualityReport[] = [];
  for (const model of models) {
    const name = model.sequences?.model ?? 'ngram';
    reports.push(
      await measureQuality(
        backend,
        inUse,
        corpus,
        {
          ...model,
          layers: parseLayerSettingsList(layers),
          seeds: [seed],
          budgetSeconds: seconds ?? budgetSeconds,
          examples,
          maxSecondsPerRun: undefined,
          evaluate,
          log: undefined,
        },
        (stage, detail) => {
          show(`recurrent: ${name}, ${stage}`, detail);
        },
      ),
    );
  }
  return { job: 'recurrent', reports };
}
