/**
 * A case is data: a stable id, what it tests, and a function of a context. The same cases are checked, measured and
 * tabulated, independent of a test runner. A kernel case has separate functions to prepare, call and check, so that
 * measuring repeats only the call.
 */
import type { Backend, Scope } from '@vastmax/linalg-core';
import type { Random } from './random.ts';

/**
 * The optional members of Backend. A case that needs one that the backend does not have is `not-offered`: layers then
 * use other calls.
 */
export type OptionalKernel =
  | 'symmetricRank2Update'
  | 'updateRows'
  | 'sparseTimesRows'
  | 'exponentiateRows'
  | 'viewRows'
  | 'gatheredRowDot'
  | 'exponentiateRanges'
  | 'combineRanges'
  | 'updateRanges'
  | 'leastSquaresRows'
  | 'quantizeRows'
  | 'quantizedProducts'
  | 'fillNormalRows'
  | 'guard'
  | 'readSync';

/** The context of a case. The runner disposes the scope and the further backends, and then checks for leaks. */
export interface CaseContext {
  readonly backend: Backend;
  /** Create handles with it: it is disposed before the leak check. */
  readonly scope: Scope;
  /** Seeded by the id of the case: the same numbers in every run, on every backend of the same precision. */
  readonly random: Random;
  /** The size in bytes above which a table has several pieces. */
  readonly tablePieceBytes: number;
  /** A second instance; the runner disposes it. */
  createBackend(): Promise<Backend>;
}

/** A kernel call with its operands. `check` is valid after exactly one `call`. */
export interface Prepared {
  call(): void;
  check(): Promise<void>;
  /** Floating-point operations of one call, or numbers moved where there is no arithmetic. */
  readonly operations: number;
}

/** One check of the suite. Its `id` is stable; `run` throws {@link ConformanceFailure}. */
export interface ConformanceCase {
  /** Stable across versions: `gemm/transpose-a/edge-tiles`. */
  readonly id: string;
  readonly kind: 'kernel' | 'rule';
  /** The kernel's name, or the rule in a few words. */
  readonly subject: string;
  readonly needs: readonly OptionalKernel[];
  /** Rejects when the backend is wrong. */
  readonly run: (context: CaseContext) => Promise<void>;
  /** Kernel cases only: what measuring repeats. */
  readonly prepare?: (context: CaseContext) => Prepared;
}

/** A case about one kernel. */
export function kernelCase(
  id: string,
  kernel: string,
  prepare: (context: CaseContext) => Prepared,
  needs: readonly OptionalKernel[] = [],
): ConformanceCase {
  const run = async (context: CaseContext): Promise<void> => {
    const prepared = prepare(context);
    prepared.call();
    await prepared.check();
  };
  return { id, kind: 'kernel', subject: kernel, needs, run, prepare };
}

/** A case about a rule that a single kernel call cannot show. */
export function ruleCase(id: string, rule: string, run: (context: CaseContext) => Promise<void>): ConformanceCase {
  return { id, kind: 'rule', subject: rule, needs: [], run };
}

/** A case about an optional member of Backend. */
export function optionalCase(
  id: string,
  rule: string,
  needs: readonly OptionalKernel[],
  run: (context: CaseContext) => Promise<void>,
): ConformanceCase {
  return { id, kind: 'rule', subject: rule, needs, run };
}

/** Combines several calls into one: all are called, then all are checked. */
export function combine(parts: readonly Prepared[]): Prepared {
  return {
    call: () => {
      for (const part of parts) part.call();
    },
    check: async () => {
      for (const part of parts) await part.check();
    },
    operations: parts.reduce((sum, part) => sum + part.operations, 0),
  };
}
