/**
 * The job of completing sets: an autoencoder is shown part of each set of synonyms and learns the whole; then, for sets
 * whose hidden fifth it never saw, its ten best words are evaluated and compared with the most frequent words and the
 * words of the nearest sets.
 */
import { bagModelShape, createNetwork, Trainer } from '@vastmax/lm-models';
import {
  evaluateMultiLabel,
  MultiLabelCollector,
  popularityBaseline,
  type MultiLabelMetrics,
} from '@vastmax/lm-models/metrics';
import { columnCounts, IndexPermutation, SetBatches, SparseBatches, type CsrRows } from '@vastmax/sparse-data';
import { jobFile } from './job-files.ts';
import { SetNeighbors } from './set-neighbors.ts';
import { hiddenShare, readSynonymSets } from './synonym-sets.ts';
import { trainToTheEnd, type JobContext, type Trained } from './train-to-the-end.ts';

export interface MobySettings {
  /** Width of the code. */
  readonly embedding: number;
  readonly epochs: number;
  readonly batch: number;
  readonly outputRate: number;
  readonly bodyRate: number;
  /** Share of the shown words that the autoencoder is shown in training. */
  readonly shown: number;
  /** Sets that are completed. */
  readonly evaluate: number;
  /** Sets that set-kNN asks. */
  readonly nearest: number;
  readonly maximumSeconds: number;
}

interface CompletionRow {
  readonly name: string;
  readonly precisionAt1: number;
  readonly precisionAt5: number;
  readonly precisionAt10: number;
  readonly recallAt10: number;
  readonly ndcgAt10: number;
}

export interface MobyResult {
  readonly job: 'moby';
  readonly sets: number;
  /** D. */
  readonly words: number;
  readonly pairs: number;
  readonly hiddenShare: number;
  readonly evaluatedSets: number;
  /** What precision at 10 is at most, since some sets hide fewer than ten words. */
  readonly highestPrecisionAt10: number;
  readonly settings: MobySettings;
  readonly trained: Trained;
  readonly rows: readonly CompletionRow[];
}

export const mobySettings: MobySettings = {
  embedding: 1024,
  epochs: 4,
  batch: 128,
  outputRate: 0.1,
  bodyRate: 0.003,
  shown: 0.8,
  evaluate: 400,
  nearest: 100,
  maximumSeconds: 420,
};

const ks = [1, 5, 10] as const;

export async function measureMoby(
  { backend, data, seed, seconds, show }: JobContext,
  settings: MobySettings = mobySettings,
): Promise<MobyResult> {
  show('moby: reading the sets');
  const { pairs, words, known, hidden } = await readSynonymSets(jobFile(data, 'moby', 'words.txt'), seed);
  const frequencies = columnCounts(known);
  const { embedding, epochs, batch, outputRate, bodyRate, shown, evaluate, nearest, maximumSeconds } = settings;
  const order = new IndexPermutation(known.rows, seed);
  const rows = Int32Array.from({ length: Math.min(evaluate, known.rows) }, (_, place) => order.at(place));
  const tests = (): SparseBatches =>
    new SparseBatches({ inputs: known, targets: hidden, rows, batchSize: 64, shuffle: false });
  const options = { ks, exclude: ({ inputs }: { readonly inputs: CsrRows }): CsrRows => inputs };
  const popularity = await popularityBaseline(frequencies, tests(), options);
  show('moby: set-kNN');
  const neighbors = new SetNeighbors(known, nearest);
  const nearestSets = new MultiLabelCollector({ ks });
  for (const row of rows)
    nearestSets.add(neighbors.complete(row, 10), hidden.indices.subarray(hidden.offsets[row], hidden.offsets[row + 1]));
  using network = await createNetwork(
    backend,
    { inputs: words, frequencies },
    {
      body: { kind: 'bag', embedding, ...bagModelShape('autoencoder'), seed },
      output: {
        kind: 'factored',
        loss: { name: 'squared-error', options: { targetValue: 1 } },
        initialScale: 0.001,
        seed,
      },
    },
  );
  const batches = new SetBatches({
    sets: known,
    shown,
    predict: 'whole',
    targetWeights: 'given',
    batchSize: batch,
    seed,
  });
  using trainer = new Trainer(network, batches, {
    bodyRate,
    outputRate,
    optimizer: 'adam',
    schedule: 'linear',
    examples: epochs * known.rows,
    maximumSeconds: seconds ?? maximumSeconds,
  });
  const trained = await trainToTheEnd(trainer, 'moby: autoencoder', show);
  show('moby: completing sets');
  const model = await evaluateMultiLabel(network, tests(), options);
  return {
    job: 'moby',
    sets: known.rows,
    words,
    pairs,
    hiddenShare,
    evaluatedSets: model.examples,
    highestPrecisionAt10: meanOf(rows, (row) => Math.min(10, hidden.offsets[row + 1]! - hidden.offsets[row]!) / 10),
    settings,
    trained,
    rows: [
      rowOf('autoencoder', model),
      rowOf(`set-kNN of ${nearest}`, nearestSets.metrics()),
      rowOf('popularity', popularity),
    ],
  };
}

function rowOf(name: string, { atK }: MultiLabelMetrics): CompletionRow {
  const [first, fifth, tenth] = ks.map((k) => atK.find((each) => each.k === k));
  return {
    name,
    precisionAt1: first?.precision ?? Number.NaN,
    precisionAt5: fifth?.precision ?? Number.NaN,
    precisionAt10: tenth?.precision ?? Number.NaN,
    recallAt10: tenth?.recall ?? Number.NaN,
    ndcgAt10: tenth?.ndcg ?? Number.NaN,
  };
}

/** Over the sets that hide something. */
function meanOf(rows: Int32Array, value: (row: number) => number): number {
  const values = Array.from(rows, value).filter((each) => each > 0);
  return values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
}
