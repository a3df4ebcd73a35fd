/**
 * The output layers that `bench rivals` and `bench hybrid` time: made and trained as `vastmax train` does it, on Zipf
 * frequencies and at the rates of its defaults. Targets are drawn anew for each step from the same law, so that the
 * rows of rare classes are in no cache, as in training.
 */
import { type Backend, isLinalgError } from '@vastmax/linalg-core';
import { createOutputLayer } from '@vastmax/lm-models';
import { isOutputLayerError } from '@vastmax/output-layer';
import type { TimedTask } from '../measurement/interleaved-timing.ts';
import { type LayerSettings, parseLayerSettings } from './layer-settings.ts';
import { MinibatchCycle } from './minibatches.ts';

export interface SizedLayer {
  /** A name of {@link parseLayerNames}, with options as in `hybrid:headSize=500` if there are any. */
  readonly layer: string;
  readonly classes: number;
}

export interface TimedLayerOptions {
  readonly features: number;
  readonly batch: number;
  /** A wait after each sample. */
  readonly pauseMs: number;
}

export interface TimedLayer extends SizedLayer, Disposable {
  readonly task: TimedTask;
  readonly initializationSeconds: number;
  /** What a step failed with; undefined while none has. Nothing is timed from then on. */
  readonly failure: () => string | undefined;
}

/** All of them but the factored layer, the quick ones first. */
export const otherLayerNames = [
  'hybrid',
  'sampled',
  'nce',
  'negative',
  'huffman',
  'hierarchical',
  'adaptive',
  'full',
  'rf',
  'quadratic',
] as const;
export const factoredName = 'factored';

/** By their draws, whatever D is. */
const slowNames: readonly string[] = ['rf', 'quadratic'];
const slowFullClasses = 20_000;
/** Class vectors, the tree's copy of them, and its sums. */
const tablesOfKernelLayers = 3;
/** Frequencies, start biases, alias tables, codes, clusters. */
const otherBytesPerClass = 64;
const cycled = 16;
/** Several steps a sample, so that what the neighbours left in the caches matters as little as in a training loop. */
const sampleMs = 25;

/**
 * With commas between, each once: names, or names with options.
 * @throws InvalidArgumentError for what is no name of a layer.
 */
export function parseLayerNames(text: string): readonly string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  for (const name of names) settingsOf(name);
  return names;
}

/** Whether a step takes more than a tenth of a second, so that quick ones would wait for it. */
export function isSlow({ layer, classes }: SizedLayer): boolean {
  const name = baseOf(layer);
  return slowNames.includes(name) || (name === 'full' && classes > slowFullClasses);
}

/** The classes that a layer is timed on: the full softmax, whose time is proportional to them, on a slice. */
export function timedClasses(layer: string, classes: number, denseRows: number): number {
  return baseOf(layer) === 'full' ? Math.min(classes, denseRows) : classes;
}

/** An upper bound: the adaptive layer's tails are narrower than its head. */
export function bytesOf({ layer, classes }: SizedLayer, features: number): number {
  const tables = slowNames.includes(baseOf(layer)) ? tablesOfKernelLayers : 1;
  return classes * (4 * tables * (features + 1) + otherBytesPerClass);
}

/** How often each class occurs, by the law that the targets are drawn from; the rarest about once. O(D). */
export function zipfFrequencies(classes: number): Float64Array {
  return Float64Array.from({ length: classes }, (_, k) => classes * Math.log((k + 2) / (k + 1)));
}

/** @returns the layer, or why there is none. */
export async function createTimedLayer(
  backend: Backend,
  { layer, classes }: SizedLayer,
  { features, batch, pauseMs }: TimedLayerOptions,
): Promise<TimedLayer | string> {
  const { output, outputRate: learningRate } = settingsOf(layer);
  const start = performance.now();
  try {
    const made = await createOutputLayer(
      backend,
      { features, frequencies: zipfFrequencies(classes) },
      { ...output, seed: 1 },
    );
    const initializationSeconds = (performance.now() - start) / 1000;
    const batches = new MinibatchCycle(backend, { classes, features, batch, count: cycled, distribution: 'zipf' });
    let failure: string | undefined;
    const run = async (times: number): Promise<void> => {
      for (let i = 0; i < times && failure === undefined; i++) {
        const { hidden, targets } = batches.nextRedrawn();
        try {
          await made.step(hidden, targets, { learningRate });
        } catch (error) {
          failure = reasonOf(error);
        }
      }
    };
    return {
      layer,
      classes,
      initializationSeconds,
      failure: () => failure,
      task: { name: `${layer} of ${classes} classes`, sampleMs, pauseMs, run },
      [Symbol.dispose]: () => {
        batches[Symbol.dispose]();
        made[Symbol.dispose]();
      },
    };
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * The text of an error that a layer or the engine throws on purpose, out of memory for one; any other is a bug and goes
 * on.
 */
function reasonOf(error: unknown): string {
  if (isOutputLayerError(error) || isLinalgError(error) || error instanceof RangeError) return error.message;
  throw error;
}

function settingsOf(layer: string): LayerSettings {
  return parseLayerSettings(layer === factoredName ? 'z-loss' : layer);
}

function baseOf(layer: string): string {
  return layer.split(':')[0] ?? layer;
}
