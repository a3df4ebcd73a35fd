/** Elementwise kernels as one loop each. The erf-based gelu is exact to about 1e-15; see `errorFunction`. */
import type { BinaryOperation, FloatArray, UnaryOperation } from '../backend.ts';
import { errorFunction } from './error-function.ts';

const inverseSqrt2 = Math.SQRT1_2;
const inverseSqrt2Pi = 1 / Math.sqrt(2 * Math.PI);

function standardNormalCdf(x: number): number {
  return 0.5 * (1 + errorFunction(x * inverseSqrt2));
}

/** The living definition of every unary operation, one number at a time. */
export const unaryFunctions: Readonly<Record<UnaryOperation, (x: number) => number>> = {
  abs: Math.abs,
  exp: Math.exp,
  gelu: (x) => x * standardNormalCdf(x),
  geluDerivative: (x) => standardNormalCdf(x) + x * inverseSqrt2Pi * Math.exp(-0.5 * x * x),
  log: Math.log,
  reciprocal: (x) => 1 / x,
  relu: (x) => (x > 0 ? x : x === x ? 0 : x),
  // Both branches keep the exponent negative, so neither overflows.
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  step: (x) => (x > 0 ? 1 : x === x ? 0 : x),
  tanh: Math.tanh,
};

export function applyUnary(operation: UnaryOperation, x: FloatArray, out: FloatArray, length: number): void {
  // The common cheap ones are written out: a call through the table costs more than their arithmetic.
  if (operation === 'square') {
    for (let i = 0; i < length; i++) out[i] = x[i]! * x[i]!;
  } else if (operation === 'reciprocal') {
    for (let i = 0; i < length; i++) out[i] = 1 / x[i]!;
  } else if (operation === 'sqrt') {
    for (let i = 0; i < length; i++) out[i] = Math.sqrt(x[i]!);
  } else {
    const apply = unaryFunctions[operation];
    for (let i = 0; i < length; i++) out[i] = apply(x[i]!);
  }
}

/** out = a ∘ b; b has strides 0 in the dimensions it is broadcast in. */
export function applyBinary(
  operation: BinaryOperation,
  a: FloatArray,
  b: FloatArray,
  out: FloatArray,
  rows: number,
  columns: number,
  rowStride: number,
  columnStride: number,
): void {
  for (let row = 0, i = 0; row < rows; row++) {
    let j = row * rowStride;
    const end = i + columns;
    if (operation === 'add') for (; i < end; i++, j += columnStride) out[i] = a[i]! + b[j]!;
    else if (operation === 'subtract') for (; i < end; i++, j += columnStride) out[i] = a[i]! - b[j]!;
    else if (operation === 'multiply') for (; i < end; i++, j += columnStride) out[i] = a[i]! * b[j]!;
    else for (; i < end; i++, j += columnStride) out[i] = a[i]! / b[j]!;
  }
}
