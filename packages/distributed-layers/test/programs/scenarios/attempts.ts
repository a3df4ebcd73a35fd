/**
 * One rank must refuse; every rank must hear why, nothing must change, and the next step must go as if nothing had
 * been.
 */
import type { Communicator } from '@vastmax/collectives';
import { isOutputLayerError } from '@vastmax/output-layer';
import { isStateError } from '@vastmax/linalg-core/state';

export interface Refusal {
  readonly what: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly unchanged: boolean;
}

export interface Attempts {
  readonly found: readonly Refusal[];
  /** @param call gets whether this rank is the bad one. */
  attempt(what: string, badRank: number, call: (isBad: boolean) => Promise<unknown>): Promise<void>;
}

/**
 * @param train makes steps, one after each attempt.
 * @param readWeights a collective.
 */
export function createAttempts<Layer extends { readonly communicator: Communicator }>(
  layer: Layer,
  train: (steps: number) => Promise<void>,
  readWeights: (layer: Layer) => Promise<Float64Array | readonly number[]>,
): Attempts {
  const found: Refusal[] = [];
  return {
    found,
    attempt: async (what, badRank, call) => {
      const before = await readWeights(layer);
      let caught: unknown;
      await call(layer.communicator.rank === badRank).catch((error: unknown) => (caught = error));
      const after = await readWeights(layer);
      found.push({
        what,
        code: isOutputLayerError(caught) || isStateError(caught) ? caught.code : undefined,
        message: caught instanceof Error ? caught.message : 'nothing was thrown',
        unchanged: before.length === after.length && before.every((value, i) => value === after[i]),
      });
      await train(1);
    },
  };
}
