/**
 * `bench data`: from a text file to trained weights, in tokens a second, and for how much of the time the trainer waits
 * for minibatches: drawn from the encoded text in memory, as `vastmax train` does, or streamed from the file on the
 * training thread, or by a worker ahead of it.
 */
import type { Backend } from '@vastmax/linalg-core';
import { createNetwork, Trainer } from '@vastmax/lm-models';
import {
  countTokens,
  encodeTokens,
  NgramBatches,
  whitespaceTokens,
  type NgramBatch,
  type Vocabulary,
} from '@vastmax/sparse-data';
import { prefetchFromWorker, readLines } from '@vastmax/sparse-data/node';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { peakResidentBytes } from '../measurement/memory-use.ts';
import { spreadOf, type Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { LayerSettings } from '../workload/layer-settings.ts';
import { endOfLine, streamBatches, type StreamOptions, type WorkerOptions } from './stream-batches.ts';
import { TimedBatches } from './timed-batches.ts';

const dataModes = ['memory', 'stream', 'worker'] as const;
type DataMode = (typeof dataModes)[number];

export interface DataOptions {
  readonly data: string;
  readonly layer: LayerSettings;
  readonly order: number;
  readonly embedding: number;
  readonly hidden: readonly number[];
  readonly batch: number;
  /** Trained on in each turn; the whole text unless given. */
  readonly tokens?: number;
  /** In each of which every mode trains once. */
  readonly turns: number;
}

interface DataRow {
  readonly mode: DataMode;
  /** Medians over the turns. */
  readonly tokensPerSecond: number;
  readonly spread: Spread;
  /** Of the time of training, the first minibatch included. */
  readonly waitingShare: number;
  /** Until the first minibatch was there, which for a worker is its start. */
  readonly firstSeconds: number;
  readonly waitingShares: Spread;
  /** With the passes over the file that came before: counting and, for `memory`, encoding. */
  readonly wholePathTokensPerSecond: number;
}

export interface DataReport {
  readonly bench: 'data';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly file: string;
  readonly tokens: number;
  readonly classes: number;
  readonly model: {
    readonly layer: string;
    readonly order: number;
    readonly embedding: number;
    readonly hidden: readonly number[];
    readonly batch: number;
  };
  readonly tokensPerTurn: number;
  readonly turns: number;
  readonly countingSeconds: number;
  readonly encodingSeconds: number;
  readonly rows: readonly DataRow[];
  readonly peakMemoryBytes: number;
}

interface Turn {
  readonly seconds: number;
  readonly firstSeconds: number;
  readonly waitedSeconds: number;
}

export async function measureData(
  backend: Backend,
  inUse: BackendInUse,
  options: DataOptions,
  show: ShowStage,
): Promise<DataReport> {
  const { data, layer, order, embedding, hidden, batch, turns } = options;
  const reading = { tokenize: whitespaceTokens, endOfLine };
  show('counting words');
  const [vocabulary, countingSeconds] = await timed(async () => {
    const counter = await countTokens(readLines(data), reading);
    return counter.build({ minimumCount: 1, specialTokens: [endOfLine, '<unk>'], unknownToken: '<unk>' });
  });
  show('encoding');
  const [tokens, encodingSeconds] = await timed(() => encodeTokens(readLines(data), vocabulary, reading));
  const tokensPerTurn = Math.min(options.tokens ?? Infinity, tokens.length);
  const taken = new Map<DataMode, Turn[]>(dataModes.map((mode) => [mode, []]));
  for (let turn = 0; turn < turns; turn++) {
    for (const mode of turn % 2 === 0 ? dataModes : dataModes.toReversed()) {
      show(`turn ${turn + 1} of ${turns}, ${mode}`);
      const batches = new TimedBatches(
        openBatches(mode, vocabulary, tokens, { path: data, order, batch, seed: 1 }),
        tokensPerTurn,
      );
      taken.get(mode)?.push(await trainOn(backend, vocabulary, batches, options));
    }
  }
  return {
    bench: 'data',
    machine: describeMachine(),
    backend: inUse,
    file: data,
    tokens: tokens.length,
    classes: vocabulary.size,
    model: { layer: layer.name, order, embedding, hidden, batch },
    tokensPerTurn,
    turns,
    countingSeconds,
    encodingSeconds,
    rows: dataModes.map((mode) =>
      rowOf(
        mode,
        taken.get(mode) ?? [],
        tokensPerTurn,
        countingSeconds + (mode === 'memory' ? encodingSeconds : 0),
        tokens.length,
      ),
    ),
    peakMemoryBytes: peakResidentBytes(),
  };
}

function openBatches(
  mode: DataMode,
  vocabulary: Vocabulary,
  tokens: Int32Array,
  options: StreamOptions,
): AsyncIterator<NgramBatch, unknown> | Iterator<NgramBatch, unknown> {
  switch (mode) {
    case 'memory': {
      const { order, batch, seed } = options;
      const batches = new NgramBatches({
        tokens,
        classes: vocabulary.size,
        order,
        batchSize: batch,
        paddingId: vocabulary.idOf(endOfLine) ?? 0,
        seed,
      });
      return { next: () => ({ done: false, value: batches.next() }) };
    }
    case 'stream':
      return streamBatches(vocabulary, options);
    case 'worker': {
      const data: WorkerOptions = { ...options, vocabulary: JSON.parse(JSON.stringify(vocabulary)) as unknown };
      return prefetchFromWorker<NgramBatch>(new URL('./stream-worker.mjs', import.meta.url), { depth: 32, data })[
        Symbol.asyncIterator
      ]();
    }
  }
}

/** The model begins anew each time; making it is no part of the time. */
async function trainOn(
  backend: Backend,
  vocabulary: Vocabulary,
  batches: TimedBatches,
  { layer, order, embedding, hidden }: DataOptions,
): Promise<Turn> {
  using model = await createNetwork(
    backend,
    { inputs: vocabulary.size, frequencies: vocabulary.counts },
    {
      body: { kind: 'ngram', order, embedding, hidden, seed: 1 },
      output: { ...layer.output, seed: 1 },
    },
  );
  using trainer = new Trainer(model, batches, {
    bodyRate: layer.bodyRate,
    outputRate: layer.outputRate,
    optimizer: 'sgd',
    schedule: 'linear',
    examples: batches.examplesPerEpoch,
  });
  const start = performance.now();
  for await (const event of trainer.run()) if (event.type === 'finished') break;
  const seconds = (performance.now() - start) / 1000;
  await batches.close();
  return { seconds, firstSeconds: batches.firstMs / 1000, waitedSeconds: batches.waitedMs / 1000 };
}

function rowOf(mode: DataMode, turns: readonly Turn[], tokensPerTurn: number, before: number, tokens: number): DataRow {
  const spread = spreadOf(turns.map(({ seconds }) => tokensPerTurn / seconds));
  const waitingShares = spreadOf(turns.map(({ seconds, waitedSeconds }) => waitedSeconds / seconds));
  return {
    mode,
    tokensPerSecond: spread.median,
    spread,
    waitingShare: waitingShares.median,
    firstSeconds: spreadOf(turns.map(({ firstSeconds }) => firstSeconds)).median,
    waitingShares,
    wholePathTokensPerSecond: tokens / (before + tokens / spread.median),
  };
}

async function timed<Result>(work: () => Promise<Result>): Promise<readonly [Result, seconds: number]> {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
}
