/** The mode `check`: runs every case and returns pass or fail as data. */
import type { Backend } from '@vastmax/linalg-core';
import { conformanceCases } from './all-cases.ts';
import { checkKnownFailures, findAvailability, requiredBackends, type BackendUnderTest } from './backend-under-test.ts';
import type { ConformanceCase, OptionalKernel } from './conformance-case.ts';
import { missingKernels, runCase } from './run-case.ts';

/**
 * The outcome of a case. `known-failure`: it failed as listed. `not-offered`: it needs an optional kernel that the
 * backend does not have.
 */
export type CaseStatus = 'pass' | 'fail' | 'known-failure' | 'not-offered' | 'unavailable';

/** How one case ended, and why if it did not pass. */
export interface CaseOutcome {
  readonly id: string;
  readonly kind: ConformanceCase['kind'];
  readonly subject: string;
  readonly status: CaseStatus;
  /** Why, for everything but `pass`. */
  readonly reason?: string;
}

/** What `checkBackend` found: one outcome for each case, unless the backend is unavailable. */
export interface CheckReport {
  readonly name: string;
  /** `unavailable` only where REQUIRE_BACKENDS does not name the backend: then it is `failed`. */
  readonly status: 'passed' | 'failed' | 'unavailable';
  /** Why it is unavailable. */
  readonly reason?: string;
  readonly outcomes: readonly CaseOutcome[];
}

/** Which cases `checkBackend` runs, and which backends may not be unavailable. */
export interface CheckOptions {
  /** All cases unless given. */
  readonly cases?: readonly ConformanceCase[];
  /** Names that must be available; from REQUIRE_BACKENDS unless given. */
  readonly required?: ReadonlySet<string>;
}

/**
 * Runs the cases on one backend. Seconds on a CPU; needs no test runner.
 * @throws Error for a bad entry in knownFailures.
 */
export async function checkBackend(subject: BackendUnderTest, options: CheckOptions = {}): Promise<CheckReport> {
  const { cases = conformanceCases, required = requiredBackends() } = options;
  const { name } = subject;
  checkKnownFailures(subject, conformanceCases);
  const availability = await findAvailability(subject, required);
  if (!availability.available) {
    const { reason } = availability;
    const outcomes = cases.map(({ id, kind, subject: about }): CaseOutcome => ({
      id,
      kind,
      subject: about,
      status: 'unavailable',
      reason,
    }));
    return { name, status: availability.required ? 'failed' : 'unavailable', reason, outcomes };
  }
  const backend = await subject.create();
  try {
    const outcomes: CaseOutcome[] = [];
    for (const conformanceCase of cases) outcomes.push(await runKnownCase(conformanceCase, subject, backend));
    const failed = outcomes.some((outcome) => outcome.status === 'fail');
    return { name, status: failed ? 'failed' : 'passed', outcomes };
  } finally {
    await backend.dispose();
  }
}

/** What layers use when a backend has no such optional kernel. */
const substitutes: Readonly<Record<OptionalKernel, string>> = {
  symmetricRank2Update: 'the composition is used',
  updateRows: 'the composition is used',
  sparseTimesRows: 'the composition is used',
  exponentiateRows: 'the composition is used',
  viewRows: 'rows are copied',
  gatheredRowDot: 'the composition is used',
  exponentiateRanges: 'the composition is used',
  combineRanges: 'the composition is used',
  updateRanges: 'the composition is used',
  leastSquaresRows: 'the composition is used',
  quantizeRows: 'the rows themselves are multiplied',
  quantizedProducts: 'the rows themselves are multiplied',
  fillNormalRows: 'rows are drawn on the host',
  guard: 'flags are read',
  readSync: 'read is used',
};

/** Runs one case and applies the list of known failures. */
export async function runKnownCase(
  conformanceCase: ConformanceCase,
  subject: BackendUnderTest,
  backend: Backend,
): Promise<CaseOutcome> {
  const { id, kind, subject: about } = conformanceCase;
  const known = subject.knownFailures?.[id];
  const outcome = (status: CaseStatus, reason: string): CaseOutcome => ({ id, kind, subject: about, status, reason });
  const missing = missingKernels(conformanceCase, backend);
  if (missing.length > 0) {
    const instead = missing.map((kernel) => substitutes[kernel]).join(', ');
    return outcome('not-offered', `offers no ${missing.join(', ')}; ${instead}`);
  }
  const { create, tablePieceBytes } = subject;
  try {
    await runCase(conformanceCase, { backend, create, ...(tablePieceBytes === undefined ? {} : { tablePieceBytes }) });
  } catch (error) {
    if (known !== undefined) return outcome('known-failure', known);
    return outcome('fail', error instanceof Error ? error.message : String(error));
  }
  if (known === undefined) return { id, kind, subject: about, status: 'pass' };
  return outcome('fail', `this known failure passes (its reason was: ${known}); remove it from knownFailures`);
}
