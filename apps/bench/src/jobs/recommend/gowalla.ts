/**
 * The job of recommending from implicit feedback: Gowalla on the published split (X. He et al., arXiv:2002.02126). Of
 * alternating least squares a₀ and λ were chosen on the validation file; docs/experiments.md has the tries, and says
 * where the test was looked at before. The autoencoders' rates and the k of item-kNN were not tuned. Each is trained on
 * training and validation together, or with `validation` on the training file alone.
 */
import { gatherRows, writeIndices, type Matrix } from '@vastmax/linalg-core';
import { bagModelShape, createNetwork, topClasses, Trainer, type OutputLayerChoice } from '@vastmax/lm-models';
import type { OutputLayer } from '@vastmax/output-layer';
import { columnCounts, SetBatches, type CsrRows, type TargetWeights } from '@vastmax/sparse-data';
import { fitAlternating } from '@vastmax/spherical-losses';
import { jobFile } from '../job-files.ts';
import { measureWanted, type MeasuredModel } from './measured-model.ts';
import { nullIfDiverged, trainToTheEnd, type JobContext } from '../train-to-the-end.ts';
import { itemNeighbors, mostPopular } from './item-neighbors.ts';
import { rankItems, type BestItems, type Ranking } from './rank-items.ts';
import { readItemLists, rowsOfUsers } from './read-lines.ts';

interface GowallaRow {
  readonly model: string;
  readonly loss: string;
  /** Null where the training diverged. */
  readonly recall20: number | null;
  readonly ndcg20: number | null;
  /** Of training; the ranking is not in it. */
  readonly seconds: number;
}

export interface GowallaResult {
  readonly job: 'gowalla';
  readonly users: number;
  readonly items: number;
  readonly trainingPairs: number;
  readonly testPairs: number;
  readonly rows: readonly GowallaRow[];
}

interface AlternatingSettings {
  readonly features: number;
  readonly epochs: number;
  readonly unobservedWeight: number;
  readonly lambda: number;
  readonly penaltyCounts: 'entries' | 'all';
}

interface AutoencoderSettings {
  readonly name: string;
  readonly output: OutputLayerChoice;
  /** 1 for each item of a user, or shares that add up to 1. */
  readonly targetWeights: TargetWeights;
  readonly outputRate: number;
  readonly bodyRate: number;
}

export interface GowallaSettings {
  /** Of each item that count, in item-kNN. */
  readonly nearest: number;
  readonly alternating: readonly AlternatingSettings[];
  /** Width, minibatch, and share of a user's items that the autoencoder is shown in training. */
  readonly autoencoder: {
    readonly embedding: number;
    readonly batch: number;
    readonly shown: number;
    readonly epochs: number;
  };
  readonly autoencoders: readonly AutoencoderSettings[];
  /** Of each autoencoder's training at most. */
  readonly maximumSeconds: number;
}

/** What is trained on, and what is asked of the model. */
interface Interactions {
  /** One row for each user. */
  readonly seen: CsrRows;
  readonly wanted: CsrRows;
}

/** A rule for the rivals' own weights: plain SGD takes small steps where each class is a target this rarely. */
const adagrad = { name: 'adagrad' } as const;
const start = { initialScale: 0.01, seed: 1 } as const;
const drawn = { ...start, samples: 2000, sharing: 'minibatch', rule: adagrad } as const;

export const gowallaSettings: GowallaSettings = {
  nearest: 100,
  alternating: [
    { features: 256, epochs: 6, unobservedWeight: 0.01, lambda: 0.01, penaltyCounts: 'entries' },
    { features: 512, epochs: 6, unobservedWeight: 0.01, lambda: 0.05, penaltyCounts: 'entries' },
  ],
  autoencoder: { embedding: 256, batch: 512, shown: 0.5, epochs: 20 },
  autoencoders: [
    {
      name: 'implicit, exact',
      output: {
        ...start,
        kind: 'factored',
        loss: { name: 'implicit', options: { unobservedWeight: 0.01 } },
        precondition: 1,
      },
      targetWeights: 'given',
      outputRate: 1,
      bodyRate: 0.003,
    },
    {
      name: 'RG², exact',
      output: { ...start, kind: 'factored', loss: { name: 'rg2', options: { pull: 0.1 } }, precondition: 1 },
      targetWeights: 'given',
      outputRate: 1,
      bodyRate: 0.003,
    },
    {
      name: 'full softmax',
      output: { ...start, kind: 'full', rule: adagrad },
      targetWeights: 'shares',
      outputRate: 0.1,
      bodyRate: 0.003,
    },
    {
      name: 'sampled softmax, uniform',
      output: { ...drawn, kind: 'sampled', proposal: 'uniform' },
      targetWeights: 'shares',
      outputRate: 0.1,
      bodyRate: 0.003,
    },
    {
      name: 'sampled softmax, popularity',
      output: { ...drawn, kind: 'sampled', proposal: 'unigram', power: 1 },
      targetWeights: 'shares',
      outputRate: 0.1,
      bodyRate: 0.003,
    },
    {
      name: 'negative sampling, popularity',
      output: { ...drawn, samples: 50, kind: 'negative', proposal: 'unigram', power: 1 },
      targetWeights: 'shares',
      outputRate: 0.1,
      bodyRate: 0.003,
    },
  ],
  maximumSeconds: 90,
};

/** @throws BenchError `bad-option`, `failed` for files that are missing or malformed. */
async function readGowalla(data: string): Promise<{ readonly test: Interactions; readonly valid: Interactions }> {
  const files = ['gowalla_train.txt', 'gowalla_valid.txt', 'gowalla_test.txt'];
  const [train = [], valid = [], test = []] = await Promise.all(
    files.map((name) => readItemLists(jobFile(data, 'recommend', name))),
  );
  const users = Math.max(train.length, valid.length, test.length);
  const items = [train, valid, test].flat(2).reduce((most, item) => Math.max(most, item), -1) + 1;
  const all = Array.from({ length: users }, (_, user) => [...(train[user] ?? []), ...(valid[user] ?? [])]);
  return {
    test: { seen: rowsOfUsers(all, users, items), wanted: rowsOfUsers(test, users, items) },
    valid: { seen: rowsOfUsers(train, users, items), wanted: rowsOfUsers(valid, users, items) },
  };
}

export async function measureGowalla(
  context: JobContext,
  settings: GowallaSettings = gowallaSettings,
): Promise<GowallaResult> {
  const { data, show, validation = false } = context;
  show('gowalla: reading');
  const { valid, test } = await readGowalla(data);
  const asked = validation ? valid : test;
  const { seen } = asked;
  const kNearest = `item-kNN of ${settings.nearest}`;
  const models: readonly MeasuredModel<GowallaRow>[] = [
    { model: 'popularity', loss: '', measure: () => rowOf('popularity', () => mostPopular(seen), asked) },
    { model: kNearest, loss: '', measure: () => rowOf(kNearest, () => itemNeighbors(seen, settings.nearest), asked) },
    ...settings.alternating.map((each) => ({
      model: alternatingName(each),
      loss: 'implicit',
      measure: () => alternatingRow(context, asked, each),
    })),
    ...settings.autoencoders.map((each) => ({
      model: autoencoderName(settings),
      loss: each.name,
      measure: () => autoencoderRow(context, asked, settings, each),
    })),
  ];
  const rows = await measureWanted(context, models);
  return {
    job: 'gowalla',
    users: asked.seen.rows,
    items: asked.seen.columns,
    trainingPairs: asked.seen.indices.length,
    testPairs: asked.wanted.indices.length,
    rows,
  };
}

async function alternatingRow(
  { backend, seed, show }: JobContext,
  data: Interactions,
  settings: AlternatingSettings,
): Promise<GowallaRow> {
  const { features } = settings;
  const model = alternatingName(settings);
  const begin = performance.now();
  using fit = await fitAlternating(backend, data.seen, {
    ...settings,
    seed,
    onProgress: ({ epoch, epochs }) => {
      show(`gowalla: ${model}`, `in sweep ${epoch} of ${epochs}, ${((performance.now() - begin) / 1000).toFixed(0)} s`);
    },
  });
  const seconds = (performance.now() - begin) / 1000;
  using layer = await fit.createLayer();
  show(`gowalla: ${model}`, 'ranking');
  const ranking = await rankItems(
    data.seen,
    data.wanted,
    bestBy(layer, (users) => {
      const hidden = backend.createMatrix(users.length, features);
      using indices = backend.createIndices(users.length);
      writeIndices(users, indices);
      gatherRows(fit.exampleRows, indices, hidden);
      return hidden;
    }),
  );
  return { model, loss: 'implicit', ...ranking, seconds };
}

async function autoencoderRow(
  { backend, seed, seconds: limit, show }: JobContext,
  data: Interactions,
  settings: Pick<GowallaSettings, 'autoencoder' | 'maximumSeconds'>,
  { name, output, targetWeights, outputRate, bodyRate }: AutoencoderSettings,
): Promise<GowallaRow> {
  const { autoencoder, maximumSeconds } = settings;
  const { embedding, batch, shown, epochs } = autoencoder;
  const { seen } = data;
  const model = autoencoderName(settings);
  const trained = await nullIfDiverged(
    (async (): Promise<Ranking & { readonly seconds: number }> => {
      using network = await createNetwork(
        backend,
        { inputs: seen.columns, frequencies: columnCounts(seen) },
        { body: { kind: 'bag', embedding, ...bagModelShape('autoencoder'), seed }, output: { ...output, seed } },
      );
      const sets = new SetBatches({
        sets: seen,
        shown,
        predict: 'whole',
        targetWeights,
        batchSize: batch,
        seed,
      });
      using trainer = new Trainer(network, sets, {
        bodyRate,
        outputRate,
        optimizer: 'adam',
        schedule: 'linear',
        examples: epochs * sets.examplesPerEpoch,
        maximumSeconds: limit ?? maximumSeconds,
      });
      const { seconds } = await trainToTheEnd(trainer, `gowalla: ${model}, ${name}`, show);
      show(`gowalla: ${model}, ${name}`, 'ranking');
      const best = bestBy(network.output, (_, inputs) => network.computeHidden({ inputs }), 'keep');
      return { ...(await rankItems(seen, data.wanted, best)), seconds };
    })(),
  );
  return { model, loss: name, recall20: null, ndcg20: null, seconds: 0, ...trained };
}

async function rowOf(model: string, create: () => BestItems, data: Interactions): Promise<GowallaRow> {
  const begin = performance.now();
  const best = create();
  const seconds = (performance.now() - begin) / 1000;
  return { model, loss: '', ...(await rankItems(data.seen, data.wanted, best)), seconds };
}

function alternatingName({ features }: AlternatingSettings): string {
  return `alternating least squares, d = ${features}`;
}

function autoencoderName({ autoencoder }: Pick<GowallaSettings, 'autoencoder'>): string {
  return `autoencoder of ${autoencoder.embedding}`;
}

/** @param ownership `keep` for hidden rows that the model owns; they are disposed otherwise. */
function bestBy(
  layer: OutputLayer,
  hiddenOf: (users: Int32Array, seen: CsrRows) => Matrix,
  ownership: 'keep' | 'dispose' = 'dispose',
): BestItems {
  return async (users, seen, k) => {
    const hidden = hiddenOf(users, seen);
    const { classes } = await topClasses(layer, hidden, k, { exclude: seen });
    if (ownership === 'dispose') hidden[Symbol.dispose]();
    return classes;
  };
}
