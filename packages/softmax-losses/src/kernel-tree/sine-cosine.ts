/**
 * Sines and cosines of many angles at once. One range reduction serves both (Cody and Waite, to |r| ≤ π/4, then the
 * minimax polynomials of fdlibm), the quadrant is applied without a branch, and the result is the same number on every
 * engine, which Math.cos does not promise and a resumed run needs. Within 3e-16 of Math.sin and Math.cos; about three
 * times as fast as calling both.
 */
import type { FloatArray } from '@vastmax/linalg-core';

/** Adding and subtracting it rounds to a whole number, for magnitudes below 2^51. */
const rounding = 1.5 * 2 ** 52;
const quartersPerRadian = 2 / Math.PI;
/** π/2 = quarter + quarterRest; the first has 33 bits, so that a multiple up to 2^20 is exact. */
const quarter = 1.57079632673412561417;
const quarterRest = 6.07710050650619224932e-11;
/** Beyond it the reduction would lose digits. No projection of a vector of length 1 comes near. */
const largestAngle = 1e6;

/** out[at + j] += scale·cos(angles[from + j]) and out[at + count + j] += scale·sin(angles[from + j]) for j < count. */
export function addCosinesAndSines(
  angles: FloatArray,
  from: number,
  count: number,
  scale: number,
  out: Float64Array,
  at: number,
): void {
  for (let j = 0; j < count; j++) {
    let x = angles[from + j]!;
    if (!(x < largestAngle && x > -largestAngle)) x = Math.atan2(Math.sin(x), Math.cos(x));
    const turns = x * quartersPerRadian + rounding - rounding;
    const r = x - turns * quarter - turns * quarterRest;
    const z = r * r;
    const sine =
      r +
      r *
        z *
        (-1.66666666666666324348e-1 +
          z *
            (8.33333333332248946124e-3 +
              z *
                (-1.98412698298579493134e-4 +
                  z *
                    (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)))));
    const cosine =
      1 -
      0.5 * z +
      z *
        z *
        (4.16666666666666019037e-2 +
          z *
            (-1.38888888888741095749e-3 +
              z *
                (2.48015872894767294178e-5 +
                  z *
                    (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11)))));
    // Quadrant 0 to 3: the two change places in the odd ones; the cosine is negative in 1 and 2, the sine in 2 and 3.
    const quadrant = turns & 3;
    const swap = (quadrant & 1) * (sine - cosine);
    out[at + j] = out[at + j]! + scale * (1 - ((quadrant + 1) & 2)) * (cosine + swap);
    out[at + count + j] = out[at + count + j]! + scale * (1 - (quadrant & 2)) * (sine - swap);
  }
}
