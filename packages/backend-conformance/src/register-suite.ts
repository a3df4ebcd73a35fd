/**
 * Registers the suite with a test runner that has describe, it, beforeAll and afterAll.
 * `@vastmax/backend-conformance/vitest` passes vitest's functions; another runner needs four short adapters. The tests
 * are registered before the probe runs, because a probe may take long and a runner needs the names first. So an
 * unavailable backend is skipped test by test, each with the reason.
 */
import type { Backend } from '@vastmax/linalg-core';
import { conformanceCases } from './all-cases.ts';
import {
  checkKnownFailures,
  findAvailability,
  requiredBackends,
  type Availability,
  type BackendUnderTest,
} from './backend-under-test.ts';
import { runKnownCase } from './check.ts';
import { ConformanceFailure } from './comparison.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** What the suite needs of a test runner; vitest, Jest and node:test have it. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void;
  /** `skip` marks the running test as skipped, with the reason; it may throw to do so. */
  it(name: string, body: (skip: (reason: string) => void) => Promise<void>): void;
  beforeAll(body: () => Promise<void>): void;
  afterAll(body: () => Promise<void>): void;
}

/** Which cases are registered, and which backends may not be unavailable. */
export interface SuiteOptions {
  readonly cases?: readonly ConformanceCase[];
  readonly required?: ReadonlySet<string>;
}

/** Registers a test for every case. @throws Error at once for a bad entry in knownFailures. */
export function registerBackendSuite(subject: BackendUnderTest, runner: SuiteRunner, options: SuiteOptions = {}): void {
  const { cases = conformanceCases, required = requiredBackends() } = options;
  checkKnownFailures(subject, conformanceCases);
  let availability: Availability = { available: false, reason: 'the probe has not run', required: true };
  let backend: Backend | undefined;

  runner.describe(`backend ${subject.name}`, () => {
    runner.beforeAll(async () => {
      availability = await findAvailability(subject, required);
      if (availability.available) backend = await subject.create();
    });
    runner.afterAll(async () => {
      await backend?.dispose();
    });
    runner.it('is available', async (skip) => {
      if (availability.available) return;
      if (availability.required) {
        throw new ConformanceFailure(
          `REQUIRE_BACKENDS names '${subject.name}', but it is unavailable: ${availability.reason}`,
        );
      }
      skip(`unavailable: ${availability.reason}`);
      await Promise.resolve();
    });
    for (const conformanceCase of cases) {
      const known = subject.knownFailures?.[conformanceCase.id];
      const name = known === undefined ? conformanceCase.id : `${conformanceCase.id} (known failure: ${known})`;
      runner.it(name, async (skip) => {
        if (!availability.available) return skip(`unavailable: ${availability.reason}`);
        if (backend === undefined) throw new ConformanceFailure(`create() of '${subject.name}' returned no backend`);
        const { status, reason = '' } = await runKnownCase(conformanceCase, subject, backend);
        if (status === 'fail') throw new ConformanceFailure(reason);
        if (status === 'not-offered') skip(reason);
      });
    }
  });
}
