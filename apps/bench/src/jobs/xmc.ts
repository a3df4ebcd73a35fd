/**
 * The job of many labels a document: a wide hidden layer over sparse features and one output layer after the other.
 * Which rates an output layer takes is found on a part of the training points; the test points are used once, by
 * the model of those rates that was trained on all.
 */
import { bagModelShape, Trainer, type BagNetwork, type OutputLayerChoice, createNetwork } from '@vastmax/lm-models';
import {
  computePropensities,
  evaluateMultiLabel,
  popularityBaseline,
  type MultiLabelReport,
} from '@vastmax/lm-models/metrics';
import { columnCounts, SparseBatches, type TargetWeights } from '@vastmax/sparse-data';
import type { XmcRows } from '@vastmax/sparse-data/records';
import { readXmcData, xmcNames, type XmcData } from './xmc-data.ts';
import { trainToTheEnd, type JobContext, type Trained, nullIfDiverged } from './train-to-the-end.ts';

export interface XmcSettings {
  /** Width of the hidden layer. */
  readonly embedding: number;
  readonly epochs: Readonly<Record<(typeof xmcNames)[number], number>>;
  readonly batch: number;
  readonly bodyRate: number;
  readonly layers: readonly LabelLayer[];
  readonly maximumSeconds: number;
}

/** An output layer and the output rates that are tried with it. */
interface LabelLayer {
  readonly name: string;
  readonly output: OutputLayerChoice;
  readonly rates: readonly number[];
  readonly targetWeights: TargetWeights;
}

interface LabelMetrics {
  readonly k: number;
  readonly precision: number;
  readonly ndcg: number;
  readonly propensityScoredPrecision: number;
}

export interface XmcRow {
  readonly name: string;
  /** Null for popularity, and where training diverged at all of them. */
  readonly outputRate: number | null;
  /** Precision at 1 of each rate on the part of the training points that was held out; null where training diverged. */
  readonly tried: readonly { readonly outputRate: number; readonly precisionAt1: number | null }[];
  /** Null for popularity, and where training diverged. */
  readonly trained: Trained | null;
  readonly atK: readonly LabelMetrics[];
}

export interface XmcResult {
  readonly job: 'xmc';
  readonly settings: Omit<XmcSettings, 'layers'>;
  readonly dataSets: readonly {
    readonly name: string;
    readonly split: string;
    readonly trainPoints: number;
    readonly testPoints: number;
    readonly features: number;
    readonly labels: number;
    readonly rows: readonly XmcRow[];
  }[];
}

const seedless = { initialScale: 0.01, seed: 0 };
const factored = (
  loss: string,
  options: Readonly<Record<string, number>>,
  initialScale: number,
): OutputLayerChoice => ({ kind: 'factored', loss: { name: loss, options }, initialScale, seed: 0 });

export const xmcSettings: XmcSettings = {
  embedding: 256,
  epochs: { bibtex: 15, delicious: 8 },
  batch: 64,
  bodyRate: 0.003,
  layers: [
    { name: 'full softmax', output: { kind: 'full', ...seedless }, rates: [1, 2, 4], targetWeights: 'shares' },
    {
      name: 'z-loss',
      output: factored('z-loss', { a: 0.1, b: 10 }, 0.01),
      rates: [0.05, 0.1, 0.2],
      targetWeights: 'shares',
    },
    {
      name: 'squared-error',
      output: factored('squared-error', { targetValue: 1 }, 0.001),
      rates: [0.05, 0.1, 0.2],
      targetWeights: 'given',
    },
    {
      name: 'spherical-softmax',
      output: factored('spherical-softmax', { epsilon: 1 }, 0.01),
      rates: [0.05, 0.25, 1, 4],
      targetWeights: 'shares',
    },
    {
      name: 'taylor-softmax',
      output: factored('taylor-softmax', {}, 0.01),
      rates: [0.05, 0.25, 1, 4],
      targetWeights: 'shares',
    },
  ],
  maximumSeconds: 120,
};

const ks = [1, 3, 5];

export async function measureXmc(context: JobContext, settings: XmcSettings = xmcSettings): Promise<XmcResult> {
  const dataSets: XmcResult['dataSets'][number][] = [];
  for (const name of xmcNames) {
    context.show(`xmc: reading ${name}`);
    const data = await readXmcData(context.data, name, context.seed);
    const frequencies = columnCounts(data.train.targets);
    const popularity = await popularityBaseline(frequencies, testBatches(data.test), {
      ks,
      propensities: computePropensities(frequencies, data.train.targets.rows),
    });
    const rows: XmcRow[] = [];
    for (const layer of settings.layers) rows.push(await rowOf(context, settings, data, layer, settings.epochs[name]));
    rows.push({ name: 'popularity', outputRate: null, tried: [], trained: null, atK: metricsOf(popularity) });
    const { inputs, targets } = data.train;
    dataSets.push({
      name,
      split: data.split,
      trainPoints: inputs.rows,
      testPoints: data.test.inputs.rows,
      features: inputs.columns,
      labels: targets.columns,
      rows,
    });
  }
  const { embedding, epochs, batch, bodyRate, maximumSeconds } = settings;
  return { job: 'xmc', settings: { embedding, epochs, batch, bodyRate, maximumSeconds }, dataSets };
}

async function rowOf(
  context: JobContext,
  settings: XmcSettings,
  data: XmcData,
  layer: LabelLayer,
  epochs: number,
): Promise<XmcRow> {
  const run = (
    train: XmcRows,
    test: XmcRows,
    outputRate: number,
    stage: string,
  ): Promise<{ report: MultiLabelReport; trained: Trained }> =>
    trainAndTest(context, settings, layer, {
      train,
      test,
      outputRate,
      epochs,
      stage: `xmc: ${data.name}, ${layer.name}, ${stage}`,
    });
  const tried: { outputRate: number; precisionAt1: number | null }[] = [];
  for (const outputRate of layer.rates) {
    const result = await nullIfDiverged(
      run(data.tuning.train, data.tuning.test, outputRate, `trying the rate ${outputRate}`),
    );
    tried.push({ outputRate, precisionAt1: result?.report.atK[0]?.precision ?? null });
  }
  // The best of them may still diverge on more points; then the next one has its turn.
  for (const { outputRate } of tried
    .filter(({ precisionAt1 }) => precisionAt1 !== null)
    .toSorted((a, b) => (b.precisionAt1 ?? 0) - (a.precisionAt1 ?? 0))) {
    const result = await nullIfDiverged(run(data.train, data.test, outputRate, 'training on all'));
    if (result === null) continue;
    context.show(
      `xmc: ${data.name}, ${layer.name}: precision at 1 ${result.report.atK[0]?.precision.toFixed(3) ?? ''}`,
    );
    return { name: layer.name, outputRate, tried, trained: result.trained, atK: metricsOf(result.report) };
  }
  return { name: layer.name, outputRate: null, tried, trained: null, atK: [] };
}

interface Run {
  readonly train: XmcRows;
  readonly test: XmcRows;
  readonly outputRate: number;
  readonly epochs: number;
  readonly stage: string;
}

async function trainAndTest(
  { backend, seed, seconds, show }: JobContext,
  { embedding, batch, bodyRate, maximumSeconds }: XmcSettings,
  { output, targetWeights }: LabelLayer,
  { train, test, outputRate, epochs, stage }: Run,
): Promise<{ report: MultiLabelReport; trained: Trained }> {
  const frequencies = columnCounts(train.targets);
  using network: BagNetwork = await createNetwork(
    backend,
    { inputs: train.inputs.columns, frequencies },
    {
      body: { kind: 'bag', embedding, ...bagModelShape('classifier'), seed },
      output: { ...output, seed },
    },
  );
  using trainer = new Trainer(network, new SparseBatches({ ...train, batchSize: batch, seed, targetWeights }), {
    bodyRate,
    outputRate,
    optimizer: 'adam',
    schedule: 'linear',
    examples: epochs * train.inputs.rows,
    maximumSeconds: seconds ?? maximumSeconds,
  });
  const trained = await trainToTheEnd(trainer, stage, show);
  const report = await evaluateMultiLabel(network, testBatches(test), {
    ks,
    propensities: computePropensities(frequencies, train.inputs.rows),
  });
  return { report, trained };
}

function testBatches(rows: XmcRows): SparseBatches {
  return new SparseBatches({ ...rows, batchSize: 256, shuffle: false });
}

function metricsOf({ atK }: Pick<MultiLabelReport, 'atK'>): LabelMetrics[] {
  return atK.map(({ k, precision, ndcg, propensityScoredPrecision = 0 }) => ({
    k,
    precision,
    ndcg,
    propensityScoredPrecision,
  }));
}
