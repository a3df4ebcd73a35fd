/** What the lab compares: for one kernel at one size, versions that all have to give the same, the naive one first. */
import type { KernelDispatch, Operands } from '@vastmax/gpu-backend-webgpu/testing';

export interface Version {
  readonly name: string;
  /** What the backend runs. */
  readonly ships?: true;
  readonly plan: readonly KernelDispatch[];
  /** Where they are not the experiment's. */
  readonly operands?: Operands;
}

export interface Experiment {
  readonly kernel: string;
  /** Of the product m×k by k×n; of a solve, n equations in m = n unknowns with k right-hand sides. */
  readonly size: readonly [m: number, n: number, k: number];
  readonly flops: number;
  readonly operands: Operands;
  readonly versions: readonly Version[];
  /** How wrong `out` is, in units of what is allowed: right is at most 1. */
  readonly error: (out: Float32Array, operands: Operands) => number;
}

/** The same numbers in ±1 every time. */
export function createNumbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 2 ** 30 - 1;
  });
}

export const ulp: number = 2 ** -23;
/** Those that every device has, so that the lab shows what is run anywhere. */
export const limits = { maxComputeWorkgroupsPerDimension: 65_535 };
