/**
 * The elementwise functions by their definitions, with the data for their tolerances. Φ is integrated, not fitted:
 * 5-point Gauss–Legendre on 96 panels, which is exact to f64 rounding for the normal density and independent of the
 * approximations under test.
 */
import type { BinaryOperation, UnaryOperation } from '@vastmax/linalg-core';

export interface UnaryDefinition {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
  /** Sum of the absolute values of the terms that the definition adds; left out: |f(x)|. */
  readonly magnitude?: (x: number) => number;
  /** Where the sampled x lie. */
  readonly domain: readonly [from: number, to: number];
}

const density = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

const nodes = [0, Math.sqrt(5 - 2 * Math.sqrt(10 / 7)) / 3, Math.sqrt(5 + 2 * Math.sqrt(10 / 7)) / 3] as const;
const weights = [128 / 225, (322 + 13 * Math.sqrt(70)) / 900, (322 - 13 * Math.sqrt(70)) / 900] as const;

/** Φ(x), the standard normal distribution function. */
export function normalDistribution(x: number): number {
  if (x < -9) return 0;
  if (x > 9) return 1;
  const panels = 96;
  const half = x / panels / 2;
  let integral = 0;
  // Summed with compensation (Kahan); otherwise 480 roundings would exceed the tolerance of the functions under test.
  let lost = 0;
  for (let panel = 0; panel < panels; panel++) {
    const middle = (2 * panel + 1) * half;
    const inner = weights[1] * (density(middle - half * nodes[1]) + density(middle + half * nodes[1]));
    const outer = weights[2] * (density(middle - half * nodes[2]) + density(middle + half * nodes[2]));
    const term = weights[0] * density(middle) + inner + outer - lost;
    const sum = integral + term;
    lost = sum - integral - term;
    integral = sum;
  }
  return 0.5 + half * integral;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const keepNaN = (x: number, otherwise: number): number => (Number.isNaN(x) ? x : otherwise);

export const unaryDefinitions: Readonly<Record<UnaryOperation, UnaryDefinition>> = {
  abs: { value: Math.abs, slope: Math.sign, domain: [-4, 4] },
  exp: { value: Math.exp, slope: Math.exp, domain: [-20, 20] },
  gelu: {
    value: (x) => x * normalDistribution(x),
    slope: (x) => normalDistribution(x) + x * density(x),
    magnitude: Math.abs,
    domain: [-6, 6],
  },
  geluDerivative: {
    value: (x) => normalDistribution(x) + (Math.abs(x) > 40 ? 0 : x * density(x)),
    slope: (x) => (Math.abs(x) > 40 ? 0 : (2 - x * x) * density(x)),
    magnitude: (x) => 1 + (Math.abs(x) > 40 ? 0 : Math.abs(x) * (1 + x * x) * density(x)),
    domain: [-6, 6],
  },
  log: { value: Math.log, slope: (x) => 1 / x, domain: [1e-3, 20] },
  reciprocal: { value: (x) => 1 / x, slope: (x) => -1 / (x * x), domain: [0.05, 20] },
  relu: { value: (x) => keepNaN(x, x > 0 ? x : 0), slope: (x) => (x > 0 ? 1 : 0), domain: [-4, 4] },
  sigmoid: { value: logistic, slope: (x) => logistic(x) * logistic(-x), domain: [-20, 20] },
  softplus: {
    value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    slope: logistic,
    magnitude: (x) => 1 + Math.max(x, 0),
    domain: [-20, 20],
  },
  sqrt: { value: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x), domain: [0, 20] },
  square: { value: (x) => x * x, slope: (x) => 2 * x, domain: [-4, 4] },
  step: { value: (x) => keepNaN(x, x > 0 ? 1 : 0), slope: () => 0, domain: [-4, 4] },
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2, magnitude: () => 1, domain: [-10, 10] },
};

export const binaryDefinitions: Readonly<Record<BinaryOperation, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
};
