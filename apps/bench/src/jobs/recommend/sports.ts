/**
 * The job of predicting the next item: Amazon Sports, leave one out (arXiv:2008.07873): a user's last item is the test,
 * the one before it was for tuning, and all items are ranked but those that the user has had before. The rates of
 * `implicit` are the best of four tries with the next-item model on the items before the last; the Z-loss had one, the
 * softmax layers none, and sasrec four (docs/experiments.md).
 */
import {
  bagModelShape,
  createNetwork,
  topClasses,
  Trainer,
  type BatchSource,
  type Network,
  type OutputLayerChoice,
  type TrainingBatch,
  type TransformerChoice,
} from '@vastmax/lm-models';
import { recommenderOf } from '@vastmax/lm-models/recommenders';
import { MultiLabelCollector } from '@vastmax/lm-models/metrics';
import {
  columnCounts,
  columnsByFrequency,
  csrFromLists,
  renumberColumns,
  SessionBatches,
  WindowBatches,
  type CsrRows,
  type SequenceBatch,
} from '@vastmax/sparse-data';
import { jobFile } from '../job-files.ts';
import { measureWanted, type MeasuredModel } from './measured-model.ts';
import { nullIfDiverged, trainToTheEnd, type JobContext } from '../train-to-the-end.ts';
import { mostPopular } from './item-neighbors.ts';
import { itemsOf, pickRows, type BestItems } from './rank-items.ts';
import { readItemLists } from './read-lines.ts';
import { lastItemTransitions } from './transitions.ts';

interface HitRates {
  readonly hr5: number;
  readonly hr10: number;
  readonly ndcg5: number;
  readonly ndcg10: number;
}

interface SportsRow {
  readonly model: string;
  readonly loss: string;
  /** Null where the training diverged, as the next three. */
  readonly hr5: number | null;
  readonly hr10: number | null;
  readonly ndcg5: number | null;
  readonly ndcg10: number | null;
  readonly seconds: number;
}

export interface SportsResult {
  readonly job: 'sports';
  readonly users: number;
  readonly items: number;
  readonly trainingPairs: number;
  readonly rows: readonly SportsRow[];
}

interface SequenceModel {
  readonly model: 'next-item' | 'session' | 'sasrec';
  readonly name: string;
  readonly output: OutputLayerChoice;
  readonly outputRate: number;
  readonly bodyRate: number;
}

export interface SportsSettings {
  readonly nextItem: { readonly embedding: number; readonly before: number; readonly batch: number };
  readonly session: {
    readonly embedding: number;
    readonly hidden: number;
    readonly streams: number;
    readonly steps: number;
  };
  /** As `recommenders.sasrec` has it, but for these. */
  readonly sasrec: {
    readonly embedding: number;
    readonly layers: number;
    readonly heads: number;
    readonly context: number;
    readonly dropout: number;
    readonly batch: number;
  };
  readonly epochs: number;
  readonly maximumSeconds: number;
  readonly models: readonly SequenceModel[];
}

const start = { initialScale: 0.01, seed: 1 } as const;
const adagrad = { name: 'adagrad' } as const;

const outputs: readonly Omit<SequenceModel, 'model'>[] = [
  {
    name: 'implicit, exact',
    output: {
      ...start,
      kind: 'factored',
      loss: { name: 'implicit', options: { unobservedWeight: 0.001 } },
      precondition: 1,
    },
    outputRate: 30,
    bodyRate: 0.01,
  },
  {
    name: 'z-loss, exact',
    output: { ...start, kind: 'factored', loss: { name: 'z-loss', options: { a: 0.1, b: 10 } } },
    outputRate: 5,
    bodyRate: 0.003,
  },
  { name: 'full softmax', output: { ...start, kind: 'full', rule: adagrad }, outputRate: 0.1, bodyRate: 0.003 },
  {
    name: 'sampled softmax, uniform',
    output: { ...start, kind: 'sampled', samples: 500, proposal: 'uniform', rule: adagrad },
    outputRate: 0.1,
    bodyRate: 0.003,
  },
  {
    name: 'sampled softmax, popularity',
    output: { ...start, kind: 'sampled', samples: 500, proposal: 'unigram', power: 1, rule: adagrad },
    outputRate: 0.1,
    bodyRate: 0.003,
  },
];

const hybrid: Omit<SequenceModel, 'model'> = {
  name: 'hybrid',
  output: { ...start, kind: 'hybrid' },
  outputRate: 0.5,
  bodyRate: 0.003,
};

export const sportsSettings: SportsSettings = {
  nextItem: { embedding: 128, before: 5, batch: 256 },
  session: { embedding: 64, hidden: 128, streams: 128, steps: 8 },
  sasrec: { embedding: 64, layers: 2, heads: 1, context: 50, dropout: 0.2, batch: 512 },
  epochs: 20,
  maximumSeconds: 60,
  models: [
    ...(['next-item', 'session'] as const).flatMap((model) => outputs.map((each) => ({ ...each, model }))),
    ...[...outputs, hybrid].map((each) => ({ ...each, model: 'sasrec' as const, bodyRate: 0.003 })),
  ],
};

/** The items of each user in their order; the last is the test's. */
export interface Sequences {
  /** Without the last. */
  readonly known: CsrRows;
  readonly last: Int32Array;
}

/** @param left how many of a user's last items are left out altogether: 0 for the test, 1 for tuning. */
export async function readSports(data: string, left: 0 | 1): Promise<Sequences> {
  const lists = await readItemLists(jobFile(data, 'recommend', 'sports.txt'));
  const items = lists.flat().reduce((most, item) => Math.max(most, item), -1) + 1;
  const usable = lists.map((list) => list.slice(0, list.length - left)).filter((list) => list.length >= 2);
  return {
    known: csrFromLists(
      usable.map((list) => list.slice(0, -1)),
      items,
    ),
    last: Int32Array.from(usable, (list) => list[list.length - 1]!),
  };
}

/** Items numbered by how often they occur, as hybrid wants its classes. */
function byFrequency({ known, last }: Sequences): Sequences {
  const order = columnsByFrequency(columnCounts(known));
  const places = new Int32Array(order.length);
  order.forEach((item, place) => {
    places[item] = place;
  });
  return { known: renumberColumns(known, order), last: last.map((item) => places[item]!) };
}

export async function measureSports(
  context: JobContext,
  settings: SportsSettings = sportsSettings,
): Promise<SportsResult> {
  context.show('sports: reading');
  const data = byFrequency(await readSports(context.data, context.validation === true ? 1 : 0));
  const counted = (model: string, create: (sets: CsrRows) => BestItems): MeasuredModel<SportsRow> => ({
    model,
    loss: '',
    measure: async () => {
      const begin = performance.now();
      const best = create(data.known);
      const seconds = (performance.now() - begin) / 1000;
      return { model, loss: '', ...(await rankLast(data, best)), seconds };
    },
  });
  const rows = await measureWanted(context, [
    counted('popularity', mostPopular),
    counted('last-item transitions', lastItemTransitions),
    ...settings.models.map((each) => ({
      model: each.model,
      loss: each.name,
      measure: () => sequenceRow(context, data, settings, each),
    })),
  ]);
  return {
    job: 'sports',
    users: data.known.rows,
    items: data.known.columns,
    trainingPairs: data.known.indices.length,
    rows,
  };
}

async function sequenceRow(
  context: JobContext,
  data: Sequences,
  settings: SportsSettings,
  { model, name, output, outputRate, bodyRate }: SequenceModel,
): Promise<SportsRow> {
  const { backend, seed } = context;
  const { known } = data;
  const sizes = { inputs: known.columns, frequencies: columnCounts(known) };
  const rates = { outputRate, bodyRate };
  const stage = `sports: ${model}, ${name}`;
  const choice = { ...output, seed };
  const trained = await nullIfDiverged(
    (async (): Promise<HitRates & { readonly seconds: number }> => {
      if (model === 'next-item') {
        const { embedding, before, batch } = settings.nextItem;
        using network = await createNetwork(backend, sizes, {
          body: { kind: 'bag', embedding, ...bagModelShape('cbow'), seed },
          output: choice,
        });
        const batches = new WindowBatches({
          tokens: known.indices,
          segments: known.offsets,
          classes: known.columns,
          before,
          after: 0,
          predict: 'centre',
          batchSize: batch,
          seed,
        });
        return await trainAndRank(context, data, network, batches, settings, rates, stage, before);
      }
      if (model === 'sasrec') {
        const { batch, ...shape } = settings.sasrec;
        const { body, trainingBatches } = recommenderOf('sasrec');
        using network = await createNetwork(backend, sizes, {
          body: body({ ...shape, seed }) as TransformerChoice,
          output: choice,
        });
        const order = { batchSize: batch, seed, targetWeights: 'given' } as const;
        const { batches } = trainingBatches(known, order, { model, context: shape.context });
        const source = batches as unknown as BatchSource<SequenceBatch>;
        return await trainAndRank(context, data, network, source, settings, rates, stage, Infinity);
      }
      const { embedding, hidden, streams, steps } = settings.session;
      using network = await createNetwork(backend, sizes, {
        body: { kind: 'recurrent', cell: 'gru', embedding, hidden: [hidden], seed },
        output: choice,
      });
      const batches = new SessionBatches({ sessions: known, streams, steps, seed });
      return await trainAndRank(context, data, network, batches, settings, rates, stage, Infinity);
    })(),
  );
  return { model, loss: name, hr5: null, hr10: null, ndcg5: null, ndcg10: null, seconds: 0, ...trained };
}

/** @param before how many of a user's last items the model reads. */
async function trainAndRank<Batch extends TrainingBatch>(
  { seconds: limit, show }: JobContext,
  data: Sequences,
  network: Network<NoInfer<Batch>>,
  batches: BatchSource<Batch>,
  { epochs, maximumSeconds }: SportsSettings,
  rates: Pick<SequenceModel, 'outputRate' | 'bodyRate'>,
  stage: string,
  before: number,
): Promise<HitRates & { readonly seconds: number }> {
  using trainer = new Trainer(network, batches, {
    ...rates,
    optimizer: 'adam',
    clipNorm: 1,
    schedule: 'linear',
    examples: epochs * batches.examplesPerEpoch,
    maximumSeconds: limit ?? maximumSeconds,
  });
  const { seconds } = await trainToTheEnd(trainer, stage, show);
  show(stage, 'ranking');
  const ranked = await rankLast(data, async (users, seen, k) => {
    const prompts = Array.from(users, (_, place) => itemsOf(seen, place));
    const hidden = network.computePromptHidden(prompts, { maxWords: before });
    return (await topClasses(network.output, hidden, k, { exclude: seen })).classes;
  });
  return { ...ranked, seconds };
}

/** Users that are ranked at once. */
const usersPerBlock = 512;

/** Hit rate and nDCG of the one item that comes next, means over users. */
async function rankLast({ known, last }: Sequences, best: BestItems): Promise<HitRates> {
  const collector = new MultiLabelCollector({ ks: [5, 10] });
  for (let first = 0; first < last.length; first += usersPerBlock) {
    const count = Math.min(usersPerBlock, last.length - first);
    const users = Int32Array.from({ length: count }, (_, i) => first + i);
    const items = await best(users, pickRows(known, users), 10);
    users.forEach((user, place) => {
      collector.add(
        Array.from({ length: 10 }, (_each, k) => items[place * 10 + k] ?? -1),
        [last[user]!],
      );
    });
  }
  const [five, ten] = collector.metrics().atK;
  return {
    hr5: five?.recall ?? Number.NaN,
    hr10: ten?.recall ?? Number.NaN,
    ndcg5: five?.ndcg ?? Number.NaN,
    ndcg10: ten?.ndcg ?? Number.NaN,
  };
}
