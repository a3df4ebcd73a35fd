import { show } from './option-checks.ts';
import { SparseDataError } from './errors.ts';

/**
 * How much the classes of an example with several weigh. `given`: as in the data, 1 where it has no values, so that an
 * example counts the more the more classes it has. `shares`: scaled to add up to 1, a distribution over the classes,
 * which is what a softmax can fit.
 */
export type TargetWeights = 'given' | 'shares';

export function checkTargetWeights(where: string, value: unknown): void {
  if (value !== 'given' && value !== 'shares')
    throw new SparseDataError('bad-option', `${where}: targetWeights is ${show(value)}; given or shares is needed`);
}
