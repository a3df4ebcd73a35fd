/**
 * `bench training`: examples per second of the whole language model, the same that `vastmax start` trains, on each
 * backend. The backends take turns of fifty steps. It is the real trainer, with a clock around its minibatches and its
 * output layer.
 */
import {
  type BackendInUse,
  type BackendName,
  createBackend,
  type CreatedBackend,
  probeBackend,
} from '../measurement/backend-choice.ts';
import { type Ceilings, ceilingsFrom, copyTask, gemmTask, pauseAfter, squareSize } from '../measurement/ceilings.ts';
import { timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { type Spread, spreadOf } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { stateOfTheUnion, textFile, type TrainingCorpus } from '../workload/training-corpus.ts';
import { createTimedTrainer, type TimedTrainer, type TrainingTurn } from './timed-trainer.ts';

export interface TrainingBenchOptions {
  readonly data?: string;
  readonly threads: readonly number[];
  readonly plain: boolean;
  readonly loss: string;
  readonly batch: number;
  /** Of fifty steps each. */
  readonly turns: number;
}

interface TrainingRow {
  readonly backend: BackendName;
  readonly threads: number;
  readonly examplesPerSecond: number;
  readonly spread: Spread;
  /** Of the time of training; they add up to 1. */
  readonly shares: { readonly body: number; readonly output: number; readonly data: number };
  readonly ceilings: Ceilings;
}

export interface TrainingReport {
  readonly bench: 'training';
  readonly machine: Machine;
  readonly backends: readonly BackendInUse[];
  readonly unavailable: readonly { readonly backend: BackendName; readonly reason: string }[];
  readonly options: Pick<TrainingBenchOptions, 'loss' | 'batch' | 'turns'>;
  readonly corpus: { readonly name: string; readonly tokens: number; readonly classes: number };
  readonly rows: readonly TrainingRow[];
}

const names: readonly BackendName[] = ['openblas', 'wasm'];
const ceilingRounds = 10;

export async function measureTraining(options: TrainingBenchOptions, show: ShowStage): Promise<TrainingReport> {
  const { data, threads, plain, loss, batch, turns } = options;
  show('reading the text');
  const corpus = data === undefined ? await stateOfTheUnion() : await textFile(data);
  const unavailable: { backend: BackendName; reason: string }[] = [];
  const timedBackends: TimedBackend[] = [];
  for (const name of plain ? [...names, 'plain' as const] : names) {
    const probe = await probeBackend(name);
    if (!probe.available) {
      unavailable.push({ backend: name, reason: probe.reason });
      continue;
    }
    for (const count of name === 'plain' ? [1] : threads) {
      show(`creating the model on ${name}`);
      timedBackends.push(await createTimedBackend(await createBackend(name, count), corpus, options));
    }
  }
  for (let turn = 0; turn <= turns; turn++) {
    for (const { trainer, inUse, turns: taken } of turn % 2 === 0 ? timedBackends : timedBackends.toReversed()) {
      const result = await trainer.turn();
      // The first turn warms up.
      if (turn > 0) taken.push(result);
      await new Promise<void>((resolve) => setTimeout(resolve, pauseAfter(inUse)));
    }
    show('training', `turn ${turn} of ${turns}`);
  }
  const ceilings = await measureCeilings(timedBackends);
  const rows = timedBackends.map(({ inUse, turns: taken }, index) => rowOf(inUse, taken, ceilings[index]!));
  for (const { trainer, backend } of timedBackends) {
    trainer[Symbol.dispose]();
    await backend.dispose();
  }
  return {
    bench: 'training',
    machine: describeMachine(),
    backends: timedBackends.map(({ inUse }) => inUse),
    unavailable,
    options: { loss, batch, turns },
    corpus: { name: corpus.name, tokens: corpus.tokens.length, classes: corpus.vocabulary.size },
    rows,
  };
}

interface TimedBackend extends CreatedBackend {
  readonly trainer: TimedTrainer;
  readonly turns: TrainingTurn[];
}

async function createTimedBackend(
  created: CreatedBackend,
  corpus: TrainingCorpus,
  { loss, batch }: TrainingBenchOptions,
): Promise<TimedBackend> {
  return { ...created, trainer: await createTimedTrainer(created.backend, corpus, { loss, batch }), turns: [] };
}

async function measureCeilings(timedBackends: readonly CreatedBackend[]): Promise<Ceilings[]> {
  const squares = timedBackends.map(({ backend, inUse }) =>
    gemmTask(backend, inUse, squareSize, squareSize, squareSize),
  );
  const copy = copyTask();
  const timings = await timeInterleaved([...squares, copy], { warmup: 3, rounds: ceilingRounds });
  return squares.map(({ name }) => ceilingsFrom(timingOf(timings, name), timingOf(timings, copy.name)));
}

function rowOf({ name, threads }: BackendInUse, turns: readonly TrainingTurn[], ceilings: Ceilings): TrainingRow {
  const sum = (part: (turn: TrainingTurn) => number): number => turns.reduce((total, turn) => total + part(turn), 0);
  const milliseconds = sum((turn) => turn.milliseconds);
  const output = sum(({ outputMs }) => outputMs) / milliseconds;
  const data = sum(({ dataMs }) => dataMs) / milliseconds;
  const spread = spreadOf(turns.map((turn) => (1000 * turn.examples) / turn.milliseconds));
  return {
    backend: name,
    threads,
    examplesPerSecond: spread.median,
    spread,
    shares: { body: 1 - output - data, output, data },
    ceilings,
  };
}
