/** The dense layers of `bench output-layer` as tasks, over at most so many classes as are to be timed. */
import type { Backend } from '@vastmax/linalg-core';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { TimedTask } from '../measurement/interleaved-timing.ts';
import { DenseSoftmaxLayer } from './dense-softmax-layer.ts';
import { DenseSphericalLayer } from './dense-spherical-layer.ts';
import type { LossSettings } from './factored-layer.ts';
import { MinibatchCycle } from './minibatches.ts';

export interface DenseTasksOptions {
  readonly classes: number;
  readonly features: number;
  readonly batch: number;
  readonly denseRows: number;
  readonly settings: LossSettings;
  readonly pauseMs: number;
}

export interface DenseTasks extends Disposable {
  readonly tasks: readonly TimedTask[];
  readonly names: { readonly dense: string; readonly recomputed: string; readonly softmax: string };
  /** The classes that each has. */
  readonly rows: number;
}

const names = { dense: 'dense', recomputed: 'dense, outputs computed twice', softmax: 'log-softmax' } as const;
const cycled = 4;
/** For a start whose softmax is defined and that no rate of the bench takes anywhere. */
const softmaxRate = 0.1;

export function createDenseTasks(backend: Backend, options: DenseTasksOptions): DenseTasks {
  const { features, batch, settings, pauseMs } = options;
  const rows = Math.min(options.classes, options.denseRows);
  const batches = new MinibatchCycle(backend, { classes: rows, features, batch, count: cycled, distribution: 'zipf' });
  const random = new RandomGenerator(2);
  const initialRows = (_first: number, count: number): Float32Array =>
    Float32Array.from({ length: count * features }, () => settings.initialScale * random.normal());
  const shared = { classes: rows, width: features, initialRows };
  const kept = new DenseSphericalLayer(backend, { ...shared, loss: settings.loss, keepOutputs: true });
  const recomputed = new DenseSphericalLayer(backend, { ...shared, loss: settings.loss, keepOutputs: false });
  const softmax = new DenseSoftmaxLayer(backend, shared);
  const task = (name: string, layer: DenseSphericalLayer | DenseSoftmaxLayer, learningRate: number): TimedTask => ({
    name,
    pauseMs,
    run: async (times) => {
      for (let i = 0; i < times; i++) {
        const { hidden, classes } = batches.next();
        layer.step(hidden, classes, learningRate);
        await backend.synchronize();
      }
    },
  });
  return {
    names,
    rows,
    tasks: [
      task(names.dense, kept, settings.learningRate),
      task(names.recomputed, recomputed, settings.learningRate),
      task(names.softmax, softmax, softmaxRate),
    ],
    [Symbol.dispose]: () => {
      for (const owned of [batches, kept, recomputed, softmax]) owned[Symbol.dispose]();
    },
  };
}
