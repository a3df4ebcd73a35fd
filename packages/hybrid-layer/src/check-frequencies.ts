import { OutputLayerError } from '@vastmax/output-layer';

/** @throws OutputLayerError `bad-option`, `non-finite`. */
export function checkFrequencies(given: ArrayLike<number> | undefined): asserts given is ArrayLike<number> {
  const frequencies: ArrayLike<number> = typeof given === 'object' && Number.isSafeInteger(given.length) ? given : [];
  if (frequencies !== given) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: frequencies must be an array of how often each class occurs, in descending order, got ${String(given)}`,
    );
  }
  if (frequencies.length < 2) {
    throw new OutputLayerError(
      'bad-option',
      `hybrid layer: ${frequencies.length} frequencies; at least two classes are needed, one for the head and one for the tail`,
    );
  }
  for (let i = 0; i < frequencies.length; i++) {
    const value = frequencies[i]!;
    if (!Number.isFinite(value) || value < 0) {
      throw new OutputLayerError(
        'non-finite',
        `hybrid layer: the frequency of class ${i} is ${value}, it must be a finite number of at least 0`,
      );
    }
    if (i > 0 && value > frequencies[i - 1]!) {
      throw new OutputLayerError(
        'bad-option',
        `hybrid layer: frequencies rise from ${frequencies[i - 1]} at class ${i - 1} to ${value} at class ${i}; number the classes by falling frequency`,
      );
    }
  }
}
