/**
 * What every layer checks of a state before it takes it over. `layer` is what the message begins with: `factored
 * layer`.
 */
import { OutputLayerError } from './errors.ts';

/** @throws OutputLayerError `state-mismatch` naming both values unless they are the same. */
export function checkSame(layer: string, key: string, own: unknown, given: unknown): void {
  const expected = JSON.stringify(own) ?? 'missing';
  const found = JSON.stringify(given) ?? 'missing';
  if (expected !== found)
    throw new OutputLayerError(
      'state-mismatch',
      `${layer}: '${key}' is ${found} in the state, ${expected} in the layer`,
    );
}

/** @returns the value. @throws OutputLayerError `state-mismatch` unless it is a whole number. */
export function checkWholeNumber(layer: string, key: string, given: unknown): number {
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given;
  throw new OutputLayerError(
    'state-mismatch',
    `${layer}: '${key}' in the state is ${String(given)}, expected a whole number`,
  );
}
