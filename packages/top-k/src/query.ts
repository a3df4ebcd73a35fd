/** A query as the bounds need it: its length, its direction in f32, and the direction in whole numbers. */
import { TopKError } from './errors.ts';

/** What a product of codes allows: whole numbers of 16 bits, and sums with codes up to 127 below 2³¹. */
const largestWhole = 32_767;
const largestSum = 16_000_000;

export interface DirectedQuery {
  /** As given, in f64. */
  readonly values: Float64Array;
  /** ‖q‖. */
  readonly norm: number;
  /** q/‖q‖; zeros for a query of zeros. */
  readonly direction: Float64Array;
  /** Added to every score. */
  readonly offset: number;
}

/** The direction ≈ scale·whole, and how far it is from that. */
export interface WholeQuery {
  readonly whole: Float64Array;
  readonly scale: number;
  readonly distance: number;
}

/** @throws TopKError `non-finite` for NaN or a number outside the range of f32. */
export function directedQuery(values: Float64Array, offset: number, what: string): DirectedQuery {
  let extent = 0;
  for (let j = 0; j < values.length; j++) {
    const size = Math.abs(values[j]!);
    if (!(size <= 3.5e38)) {
      throw new TopKError('non-finite', `${what}: number ${j} is ${values[j]}; a finite number of f32 is needed`);
    }
    extent = Math.max(extent, size);
  }
  const direction = new Float64Array(values.length);
  if (extent === 0) return { values, norm: 0, direction, offset };
  let sum = 0;
  for (let j = 0; j < values.length; j++) {
    const part = values[j]! / extent;
    direction[j] = part;
    sum += part * part;
  }
  const length = Math.sqrt(sum);
  for (let j = 0; j < values.length; j++) direction[j]! /= length;
  // Not below the true length.
  return { values, norm: extent * length * (1 + 1e-12), direction, offset };
}

/** @param width of the codes, from which on the whole numbers are 0. */
export function wholeQuery({ direction }: DirectedQuery, width: number): WholeQuery {
  let extent = 0;
  let sum = 0;
  for (const value of direction) {
    extent = Math.max(extent, Math.abs(value));
    sum += Math.abs(value);
  }
  const whole = new Float64Array(width);
  if (extent === 0) return { whole, scale: 0, distance: 0 };
  // Rounding adds half to each number at most.
  const scale = Math.fround(Math.max(extent / largestWhole, sum / (largestSum - direction.length)) * (1 + 1e-6));
  let squares = 0;
  for (let j = 0; j < direction.length; j++) {
    whole[j] = Math.round(direction[j]! / scale);
    squares += (direction[j]! - scale * whole[j]!) ** 2;
  }
  return { whole, scale, distance: Math.sqrt(squares) * (1 + 1e-9) };
}
