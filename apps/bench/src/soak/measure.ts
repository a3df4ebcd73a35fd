/**
 * `bench soak`: what happens to factored layers in a very long life. One layer for each built-in loss, on one backend;
 * their turns alternate, each turn at another rate. At the end of a turn the layer is verified, compared for some steps
 * with dense SGD in f64 that starts from its rows, saved, restored into a new layer, which must have the same bits, and
 * given another class. It ends epochs (generations, on disk) by itself, as often as the rates ask for.
 */
import { createMemoryStorage, openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { type Backend, read, write } from '@vastmax/linalg-core';
import { csrFromLists, type CsrRows, RandomGenerator } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, type FactoredOutputLayer } from '@vastmax/spherical-losses';
import {
  DenseReference,
  factoredLoss,
  largestDrift,
  type LongRunOptions,
  longRuns,
  relativeError,
} from '@vastmax/spherical-losses/testing';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { heapUseAfterCollection, residentBytes } from '../measurement/memory-use.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import { scientific } from '../reporting/numbers.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';

export interface SoakOptions {
  readonly backend: BackendChoice;
  /** Of all layers together. */
  readonly steps: number;
}

interface SoakRow {
  readonly loss: string;
  readonly steps: number;
  /** The largest of the drifts of C, w̄ and U⁻¹ that `verify()` reported, relative. */
  readonly largestDrift: number;
  /** The largest difference of a weight to dense SGD in f64 after a few steps from the same rows, relative. */
  readonly largestDenseError: number;
  readonly generations: number;
  readonly classes: number;
  readonly restarts: number;
}

export interface SoakReport {
  readonly bench: 'soak';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly steps: number;
  readonly largestDrift: number;
  readonly largestDenseError: number;
  /** Rebase epochs that ended, of all layers. */
  readonly generations: number;
  /** Live at the end; the transform cache of a layer has more or fewer of them. */
  readonly handles: number;
  /** The same after a tenth of the steps. */
  readonly firstHandles: number;
  /** At the end, after a collection of garbage. */
  readonly residentBytes: number;
  /** The same after a tenth of the steps. */
  readonly firstResidentBytes: number;
  readonly seconds: number;
  readonly rows: readonly SoakRow[];
}

const classesAtFirst = 400;
const width = 12;
const batch = 6;
const rateFactors = [0.3, 1, 3];
const longestTurn = 2500;
const denseSteps = 10;

export async function measureSoak({ backend: choice, steps }: SoakOptions, show: ShowStage): Promise<SoakReport> {
  const { backend, inUse } = await createBackend(await resolveBackend(choice), 1);
  try {
    const outcome = await soak(backend, steps, show);
    const left = liveHandles(backend);
    if (left > 0) throw new BenchError('failed', `soak: ${left} handles are left after all layers were disposed`);
    return { bench: 'soak', machine: describeMachine(), backend: inUse, ...outcome };
  } finally {
    await backend.dispose();
  }
}

async function soak(
  backend: Backend,
  steps: number,
  show: ShowStage,
): Promise<Omit<SoakReport, 'bench' | 'machine' | 'backend'>> {
  const start = performance.now();
  const lives: Life[] = [];
  try {
    for (const run of longRuns(steps)) lives.push(await Life.begin(backend, run));
    const turn = Math.max(1, Math.min(longestTurn, Math.floor(steps / (10 * lives.length))));
    let done = 0;
    let firstHandles = 0;
    let firstResidentBytes = 0;
    for (let turns = 0; done < steps; turns++) {
      const life = lives[turns % lives.length]!;
      const count = Math.min(turn, steps - done);
      await life.live(count, rateFactors[turns % rateFactors.length]!);
      done += count;
      const { loss, largestDrift: drift } = life.row;
      show('soak', `step ${done} of ${steps}, ${loss}, largest drift ${scientific(drift)}`);
      if (firstResidentBytes > 0 || done < steps / 10) continue;
      firstHandles = liveHandles(backend);
      firstResidentBytes = residentAfterCollection();
    }
    const rows = lives.map(({ row }) => row);
    return {
      steps: done,
      largestDrift: Math.max(...rows.map((row) => row.largestDrift)),
      largestDenseError: Math.max(...rows.map((row) => row.largestDenseError)),
      generations: rows.reduce((sum, { generations }) => sum + generations, 0),
      handles: liveHandles(backend),
      firstHandles,
      residentBytes: residentAfterCollection(),
      firstResidentBytes,
      seconds: (performance.now() - start) / 1000,
      rows,
    };
  } finally {
    for (const life of lives) life[Symbol.dispose]();
  }
}

/** One layer from its creation on, over all its restarts. */
class Life implements Disposable {
  readonly #backend: Backend;
  readonly #run: LongRunOptions;
  readonly #random = new RandomGenerator(7);
  readonly #directions: number[] = [];
  readonly #storage = createMemoryStorage();
  readonly #hidden;
  #layer: FactoredOutputLayer;
  #row: SoakRow;

  private constructor(backend: Backend, run: LongRunOptions, layer: FactoredOutputLayer) {
    this.#backend = backend;
    this.#run = run;
    this.#layer = layer;
    this.#hidden = backend.createMatrix(batch, width);
    this.#row = {
      loss: run.loss.name,
      steps: 0,
      largestDrift: 0,
      largestDenseError: 0,
      generations: 0,
      classes: layer.classes,
      restarts: 0,
    };
  }

  static async begin(backend: Backend, run: LongRunOptions): Promise<Life> {
    return new Life(backend, run, await createLayer(backend, run, classesAtFirst));
  }

  get row(): SoakRow {
    return this.#row;
  }

  /** A turn: steps, and what comes after them. */
  async live(steps: number, rateFactor: number): Promise<void> {
    const learningRate = this.#run.learningRate * rateFactor;
    for (let step = 0; step < steps - denseSteps; step++) await this.#step(learningRate);
    const denseError = await this.#stepsBesideDense(Math.min(steps, denseSteps), learningRate);
    const verification = await this.#layer.verify();
    const { largestDrift: before, largestDenseError, restarts } = this.#row;
    this.#row = {
      ...this.#row,
      steps: this.#row.steps + steps,
      // Not Math.max of numbers of which one may be NaN: that must show.
      largestDrift: worse(before, largestDrift(verification)),
      largestDenseError: worse(largestDenseError, denseError),
      generations: verification.rebases,
      restarts: restarts + 1,
    };
    await this.#restart();
    this.#layer.addClasses(Float64Array.from({ length: width }, () => this.#run.initialScale * this.#random.normal()));
    this.#row = { ...this.#row, classes: this.#layer.classes };
  }

  [Symbol.dispose](): void {
    this.#hidden[Symbol.dispose]();
    this.#layer[Symbol.dispose]();
  }

  async #step(learningRate: number): Promise<{ readonly hidden: Float64Array; readonly targets: CsrRows }> {
    const minibatch = this.#nextBatch();
    write(minibatch.hidden, this.#hidden);
    await this.#layer.step(this.#hidden, minibatch.targets, { learningRate });
    return minibatch;
  }

  /** @returns the largest difference of a weight at the end, over the largest weight. */
  async #stepsBesideDense(steps: number, learningRate: number): Promise<number> {
    const dense = new DenseReference(await readRows(this.#backend, this.#layer), width, this.#run.loss);
    for (let step = 0; step < steps; step++) {
      const { hidden, targets } = await this.#step(learningRate);
      // What the layer was given, in its precision.
      dense.step(Float32Array.from(hidden), targets, learningRate);
    }
    return relativeError(await readRows(this.#backend, this.#layer), dense.weights);
  }

  /** A new layer from a checkpoint takes the place of this one. */
  async #restart(): Promise<void> {
    await writeCheckpoint(this.#storage, { configuration: {}, modules: { output: this.#layer.state() } });
    await using checkpoint = await openCheckpoint(this.#storage);
    const before = await readRows(this.#backend, this.#layer);
    const next = await createLayer(this.#backend, this.#run, this.#layer.classes);
    this.#layer[Symbol.dispose]();
    this.#layer = next;
    await next.restore(checkpoint.module('output'));
    const after = await readRows(this.#backend, next);
    const differing = after.findIndex((value, i) => value !== before[i]);
    if (differing >= 0)
      throw new BenchError(
        'failed',
        `soak: ${this.#run.loss.name}, step ${this.#row.steps}: weight ${differing} is ${before[differing]} before a restart and ${after[differing]} after it`,
      );
  }

  /** Each class has a direction, and an example is that of its target with noise: the layer learns something. */
  #nextBatch(): { readonly hidden: Float64Array; readonly targets: CsrRows } {
    const { classes } = this.#layer;
    const random = this.#random;
    while (this.#directions.length < classes * width) this.#directions.push(0.7 * random.normal());
    const hidden = new Float64Array(batch * width);
    const lists = Array.from({ length: batch }, (_, example) => {
      const target = Math.floor(classes * random.uniform() ** 2);
      for (let i = 0; i < width; i++)
        hidden[example * width + i] = this.#directions[target * width + i]! + 0.5 * random.normal();
      return [target];
    });
    return { hidden, targets: csrFromLists(lists, classes) };
  }
}

function createLayer(
  backend: Backend,
  { loss, initialScale }: LongRunOptions,
  classes: number,
): Promise<FactoredOutputLayer> {
  return createFactoredOutputLayer(backend, {
    classes,
    features: width,
    bias: false,
    loss: factoredLoss(loss),
    initialScale,
  });
}

async function readRows(backend: Backend, layer: FactoredOutputLayer): Promise<Float64Array> {
  using rows = backend.createMatrix(layer.classes, width);
  layer.denseRows(0, rows);
  return Float64Array.from(await read(rows));
}

function worse(a: number, b: number): number {
  return b > a || Number.isNaN(b) ? b : a;
}

function liveHandles(backend: Backend): number {
  const { matrices, tables, indices } = backend.memory();
  return matrices + tables + indices;
}

function residentAfterCollection(): number {
  heapUseAfterCollection();
  return residentBytes();
}
