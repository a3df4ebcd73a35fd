/**
 * Inverted dropout (Srivastava et al., JMLR 2014): what is kept is multiplied by 1/(1−rate), so that evaluation needs
 * no change. The mask is drawn on the host from the caller's generator, one number an element, row by row: the same on
 * every backend, and resumable with the generator's state.
 */
import { binary, createHostArray, write, type FloatArray } from '@vastmax/linalg-core';
import { AutodiffError } from '../errors.ts';
import type { Tape } from '../tape.ts';
import type { Variable } from '../variable.ts';
import { commonTape } from './checks.ts';

export interface DropoutOptions {
  /** Probability of dropping an element, in [0, 1). */
  readonly rate: number;
  /** Uniform in [0, 1). Called m·n times, or not at all when nothing is dropped. */
  readonly random: () => number;
  /** true unless given; false returns x itself. */
  readonly training?: boolean;
}

/** One buffer a tape for all its masks: `write` copies before it returns. */
const buffers = new WeakMap<Tape, FloatArray>();

function bufferOf(tape: Tape, length: number): FloatArray {
  const existing = buffers.get(tape);
  if (existing !== undefined && existing.length >= length) return existing.subarray(0, length);
  const buffer = createHostArray(tape.backend, Math.max(length, Math.ceil((existing?.length ?? 0) * 1.5)));
  buffers.set(tape, buffer);
  return buffer.subarray(0, length);
}

/**
 * x with elements set to 0 at random and the others scaled; x itself when rate is 0 or training is false. O(m·n), the
 * mask crosses from the host.
 * @throws AutodiffError `bad-option` when the rate is outside [0, 1).
 */
export function dropout(x: Variable, options: DropoutOptions): Variable {
  const { rate, random, training = true } = options;
  const tape = commonTape('dropout', x);
  if (!(rate >= 0 && rate < 1)) {
    throw new AutodiffError('bad-option', `dropout: rate must be at least 0 and less than 1, got ${rate}`);
  }
  if (rate === 0 || !training) return x;
  const length = x.rows * x.columns;
  const values = bufferOf(tape, length);
  const kept = 1 / (1 - rate);
  for (let i = 0; i < length; i++) values[i] = random() < rate ? 0 : kept;
  const mask = tape.allocate(x.rows, x.columns);
  write(values, mask);
  const out = tape.allocate(x.rows, x.columns);
  binary('multiply', x.value, mask, out);
  return tape.record(out, [x], (gradient, sink) => {
    const contribution = tape.allocate(x.rows, x.columns);
    binary('multiply', gradient, mask, contribution);
    sink.give(x, contribution);
  });
}
