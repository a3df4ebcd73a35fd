/** The suite under vitest: a third party's whole test file is one call of {@link describeBackend}. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { BackendUnderTest } from './backend-under-test.ts';
import { registerBackendSuite, type SuiteOptions } from './register-suite.ts';

export type { BackendUnderTest } from './backend-under-test.ts';
export type { SuiteOptions } from './register-suite.ts';

/**
 * Registers a vitest test for every case of the suite. Unavailable backends are skipped with the reason, or fail where
 * REQUIRE_BACKENDS names them.
 * @throws Error at once when knownFailures names an unknown case or gives no reason.
 */
export function describeBackend(subject: BackendUnderTest, options: SuiteOptions = {}): void {
  registerBackendSuite(
    subject,
    {
      describe: (name, body) => {
        describe(name, body);
      },
      it: (name, body) => {
        it(name, async (test) => {
          await body((reason) => {
            test.skip(reason);
          });
        });
      },
      beforeAll,
      afterAll,
    },
    options,
  );
}
