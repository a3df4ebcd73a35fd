import type { SphericalLoss } from '../loss.ts';
import { sphericalSoftmax } from './spherical-softmax.ts';
import { squaredError } from './squared-error.ts';
import { taylorSoftmax } from './taylor-softmax.ts';
import { zLoss } from './z-loss.ts';

/** The names under which tools and checkpoints know the built-in losses. */
export type BuiltInLossName = 'z-loss' | 'spherical-softmax' | 'taylor-softmax' | 'squared-error';

export const builtInLossNames: readonly BuiltInLossName[] = [
  'z-loss',
  'spherical-softmax',
  'taylor-softmax',
  'squared-error',
];

/**
 * A built-in loss by name, for configuration files and checkpoints.
 * @throws RangeError for an unknown name or a bad option.
 */
export function createBuiltInLoss(name: string, options: Readonly<Record<string, number>> = {}): SphericalLoss {
  switch (name) {
    case 'z-loss':
      return zLoss(options);
    case 'spherical-softmax':
      return sphericalSoftmax(options);
    case 'taylor-softmax':
      return taylorSoftmax();
    case 'squared-error':
      return squaredError(options);
    default:
      throw new RangeError(`no built-in loss is called '${name}'; there are ${builtInLossNames.join(', ')}`);
  }
}
