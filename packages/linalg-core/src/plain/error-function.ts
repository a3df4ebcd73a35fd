/**
 * erf(x) to f64 accuracy: the Maclaurin series where it converges without cancellation (|x| < 2.5), and the continued
 * fraction of erfc beyond (Abramowitz & Stegun 7.1.6 and 7.1.14). Slower than a rational fit, and needs no table of
 * coefficients to be trusted.
 */
const twoOverSqrtPi = 2 / Math.sqrt(Math.PI);

export function errorFunction(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < 2.5) return series(x);
  if (magnitude > 6) return Math.sign(x);
  if (magnitude !== magnitude) return x;
  return Math.sign(x) * (1 - complement(magnitude));
}

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)): all terms have one sign. */
function series(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * square) / (2 * n + 1);
    sum += term;
    if (Math.abs(term) <= 1e-17 * Math.abs(sum)) break;
  }
  return twoOverSqrtPi * Math.exp(-square) * sum;
}

/** erfc(x) = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), evaluated from the inside. */
function complement(x: number): number {
  let fraction = x;
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
