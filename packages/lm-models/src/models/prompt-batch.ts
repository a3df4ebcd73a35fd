import type { SequenceInputs } from './recurrent-body.ts';

/**
 * Prompts, one a stream, of any lengths, to be read from an empty state: `forward` then returns the activations after
 * the last word of each.
 * @param prompts word or item numbers, at least one each.
 */
export function promptBatch(prompts: readonly ArrayLike<number>[]): SequenceInputs {
  const streams = prompts.length;
  const steps = Math.max(0, ...prompts.map(({ length }) => length));
  const inputs = new Int32Array(steps * streams);
  const starts = new Uint8Array(steps * streams);
  for (const [stream, prompt] of prompts.entries()) {
    if (prompt.length === 0)
      throw new RangeError(`promptBatch: prompt ${stream} is empty; begin it with a padding word`);
    // Shorter prompts end with the longest; what is read before them is forgotten.
    const first = steps - prompt.length;
    for (let step = 0; step <= first; step++) starts[step * streams + stream] = 1;
    for (let i = 0; i < prompt.length; i++) inputs[(first + i) * streams + stream] = prompt[i]!;
  }
  return {
    steps,
    streams,
    inputs,
    starts,
    predicted: Int32Array.from({ length: streams }, (_, stream) => (steps - 1) * streams + stream),
  };
}
