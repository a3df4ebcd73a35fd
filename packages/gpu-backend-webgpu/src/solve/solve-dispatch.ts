/**
 * a·out = b in three dispatches: one workgroup factorises; one workgroup for every 64 right-hand sides substitutes
 * (other workgroups compute a⁻¹ for the condition, and return at once where a is near the identity); and one computes
 * the largest norm. The host reads nothing: the results of the factorisation stay on the device, where the later
 * kernels read them.
 */
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { foldWorkgroups, type GridLimits } from '../gemm/workgroup-grid.ts';
import { conditionCode, conditionEntry, emptyCode, emptyEntry } from './condition.ts';
import { factoriseCode, factoriseEntry, sharingOf } from './factorise.ts';
import { packSolveParameters, paddedSize, solveScratchBytes, stripsOf } from './solve-layout.ts';
import { substituteCode, substituteEntry } from './substitute.ts';

const factorisations = new Map<number, string>();
const substitutions = { withSides: substituteCode(true), withoutSides: substituteCode(false) };

function factorisationOf(n: number): string {
  const sharing = sharingOf(paddedSize(n));
  const key = sharing.threads * sharing.rowsPerThread;
  const code = factorisations.get(key) ?? factoriseCode(sharing);
  factorisations.set(key, code);
  return code;
}

/**
 * The dispatches of a solve in order; bindings `a`, `b`, `out`, `reciprocalCondition` and `scratch0` to `scratch3`.
 * @param n rows and columns of a
 * @param columns right-hand sides; b and out are n×columns
 */
export function planSolve(n: number, columns: number, limits: GridLimits): readonly KernelDispatch[] {
  const uniforms = packSolveParameters(n, columns);
  if (n === 0)
    return [
      { code: emptyCode, entryPoint: emptyEntry, workgroups: [1, 1, 1], uniforms, bindings: ['reciprocalCondition'] },
    ];
  const scratchBytes = solveScratchBytes(n, columns);
  return [
    {
      code: factorisationOf(n),
      entryPoint: factoriseEntry,
      workgroups: [1, 1, 1],
      uniforms,
      bindings: ['a', 'scratch0', 'scratch1'],
      scratchBytes,
    },
    {
      code: columns === 0 ? substitutions.withoutSides : substitutions.withSides,
      entryPoint: substituteEntry,
      workgroups: [...foldWorkgroups(stripsOf(n, columns).all, limits), 1],
      uniforms,
      bindings: ['scratch0', 'scratch1', 'scratch2', 'scratch3', ...(columns === 0 ? [] : (['b', 'out'] as const))],
      scratchBytes,
    },
    {
      code: conditionCode,
      entryPoint: conditionEntry,
      workgroups: [1, 1, 1],
      uniforms,
      bindings: ['scratch1', 'scratch3', 'reciprocalCondition'],
      scratchBytes,
    },
  ];
}
