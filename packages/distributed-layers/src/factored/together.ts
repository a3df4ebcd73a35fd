/** What all ranks do or none: each does its part, then they hear whether one could not. */
import type { Backend } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import type { Agreement } from './agreement.ts';

export interface Creation<Layer extends Disposable> {
  /** What every rank must ask for alike. */
  readonly options: { readonly classes: number; readonly features: number; readonly bias?: boolean };
  /** This rank's part, options checked. No collective. */
  readonly create: () => Layer;
  /** What may fail when there is something to dispose of already. No collective. */
  readonly fill?: (layer: Layer) => void;
  /** When every rank has one. A collective. */
  readonly finish: (layer: Layer) => Promise<void>;
}

/**
 * A layer on every rank, or on none. A collective.
 * @throws OutputLayerError the refusal of one rank on all; `bad-option` when their options differ.
 */
export async function createTogether<Layer extends Disposable>(
  agreement: Agreement,
  backend: Backend,
  { options, create, fill, finish }: Creation<Layer>,
): Promise<Layer> {
  let layer: Layer | undefined;
  let refusal: unknown;
  try {
    layer = create();
    fill?.(layer);
  } catch (error) {
    refusal = error;
  }
  try {
    const { classes, features, bias = true } = options;
    agreement.begin('create', {
      refusal,
      same: { classes, features, bias: bias ? 1 : 0, bits: backend.precision === 'f32' ? 32 : 64 },
    });
    if (layer === undefined) throw new OutputLayerError('bad-option', 'distributed layer: there is none');
    await finish(layer);
    return layer;
  } catch (error) {
    layer?.[Symbol.dispose]();
    throw error;
  }
}

/**
 * Each rank takes over its part of a state. A collective; a rank that must refuse is as it was, others may have taken
 * theirs over.
 * @param progress what must be the same everywhere afterwards.
 * @throws StateError `state-mismatch` on every rank.
 */
export async function restoreTogether(
  agreement: Agreement,
  restoreOwn: () => Promise<void>,
  progress: () => Readonly<Record<string, number>>,
): Promise<void> {
  let refusal: unknown;
  try {
    await restoreOwn();
  } catch (error) {
    refusal = error;
  }
  agreement.begin('restore', { refusal, same: progress() });
}
