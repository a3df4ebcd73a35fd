import { read, type Matrix } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';

/**
 * A loss or a gradient is not finite, and no weight has been touched yet: say whose fault it is, the input's or the
 * training's. Reads whole matrices, which is fine on the way to an error.
 */
export async function explainNonFinite(
  hidden: Matrix,
  losses: Matrix,
  context: { readonly step: number; readonly learningRate: number; readonly loss: string },
): Promise<OutputLayerError> {
  const { step, learningRate, loss } = context;
  const values = await read(hidden);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    return new OutputLayerError(
      'non-finite',
      `factored step ${step}: hidden is ${values[bad]} at example ${Math.floor(bad / hidden.columns)}, feature ${bad % hidden.columns}; ` +
        "the layer is unchanged. If the body produced it, lower the body's learning rate",
    );
  }
  const perExample = await read(losses);
  const example = perExample.findIndex((value) => !Number.isFinite(value));
  const what = example >= 0 ? `of example ${example} is ${perExample[example]}` : 'is finite but its gradient is not';
  return new OutputLayerError(
    'diverged',
    `factored step ${step}: the ${loss} loss ${what} at learning rate ${learningRate}; go back to the last checkpoint and try ` +
      `${Number((learningRate / 4).toPrecision(3))}, smaller hidden activations, or a random start with a larger initialScale`,
  );
}
