/**
 * Matrix factorization of implicit feedback, by exact alternating least squares (Y. Hu et al., ICDM 2008). The result is
 * a network like the others: its body folds the items of a user in, and its output layer has the items.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { CancellationSignal, CsrRows } from '@vastmax/sparse-data';
import { fitAlternating, type AlternatingFit, type AlternatingProgress } from '@vastmax/spherical-losses';
import { FoldInBody, type FoldInBodyOptions } from '../bodies/fold-in-body.ts';
import { ModelError } from '../model-error.ts';
import type { FoldInNetwork } from '../network/network-options.ts';
import { Network } from '../network/network.ts';

/** What a factorization is fitted with unless something else is asked for: the best on Gowalla (docs/experiments.md). */
export const factorizationDefaults = {
  embedding: 512,
  sweeps: 6,
  unobservedWeight: 0.01,
  lambda: 0.05,
  penaltyCounts: 'entries',
} as const;

/** Width, weights and sweeps of a factorization. */
export interface FactorizationOptions extends Partial<Omit<FoldInBodyOptions, 'inputs'>> {
  /** Sweeps, each of all items and then all users; 6 unless given. */
  readonly sweeps?: number;
  /** Of the random start; 1 unless given. */
  readonly seed?: number;
  /** A factorization of the same histories, whose sweeps are gone on with; the weights are then its own. */
  readonly start?: FoldInNetwork;
  readonly onProgress?: (progress: AlternatingProgress) => void;
  /** Called after each sweep but the last, and awaited, with what there is so far, which is disposed after it. */
  readonly afterSweep?: (network: FoldInNetwork, sweep: number) => Promise<void>;
  /** An AbortSignal, looked at before each block of rows. */
  readonly signal?: CancellationSignal;
}

/**
 * Fits users and items to their interactions. A sweep costs about 6d² operations for each user and item, and n²d for
 * each of them with n ≤ d interactions.
 * @param histories users×items; values are weights, above 0.
 * @param frequencies how often each item occurs.
 * @returns a network, which the caller disposes.
 * @throws ModelError or OutputLayerError `bad-option`; what `signal` throws.
 */
export async function fitFactorization(
  backend: Backend,
  histories: CsrRows,
  frequencies: Float64Array,
  options: FactorizationOptions = {},
): Promise<FoldInNetwork> {
  const { sweeps = factorizationDefaults.sweeps, seed = 1, start, onProgress, afterSweep, signal } = options;
  if (!Number.isSafeInteger(sweeps) || sweeps < 1)
    throw new ModelError('bad-option', `factorization: sweeps must be a whole number of at least 1, got ${sweeps}`);
  const { inputs, embedding, ...weights } = start?.body.options ?? {
    ...factorizationDefaults,
    ...given(options),
    inputs: histories.columns,
  };
  const { unobservedWeight, lambda, penaltyCounts } = weights;
  const networkOf = async (fit: AlternatingFit): Promise<FoldInNetwork> => {
    const own = { embedding, unobservedWeight, lambda, penaltyCounts };
    const body = new FoldInBody(backend, { ...own, inputs }, await fit.createFoldIn());
    const output = await fit.createLayer({ bias: true }).catch((error: unknown) => {
      body[Symbol.dispose]();
      throw error;
    });
    return new Network(
      {
        body: { kind: 'fold-in', ...own },
        output: {
          kind: 'factored',
          loss: { name: 'implicit', options: { unobservedWeight } },
          initialScale: 0,
          seed,
        },
      },
      { inputs, frequencies },
      body,
      output,
    );
  };
  using fit = await fitAlternating(backend, histories, {
    features: embedding,
    unobservedWeight,
    lambda,
    penaltyCounts,
    epochs: sweeps,
    seed,
    ...(start === undefined ? {} : { start: start.body.foldIn }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
    afterSweep: async (current, sweep) => {
      if (afterSweep === undefined || sweep === sweeps) return;
      using network = await networkOf(current);
      await afterSweep(network, sweep);
    },
  });
  return await networkOf(fit);
}

function given({
  embedding,
  unobservedWeight,
  lambda,
  penaltyCounts,
}: FactorizationOptions): Partial<Omit<FoldInBodyOptions, 'inputs'>> {
  return {
    ...(embedding === undefined ? {} : { embedding }),
    ...(unobservedWeight === undefined ? {} : { unobservedWeight }),
    ...(lambda === undefined ? {} : { lambda }),
    ...(penaltyCounts === undefined ? {} : { penaltyCounts }),
  };
}
