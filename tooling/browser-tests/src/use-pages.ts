// One browser and one bundle for the tests of a file. As in the conformance tests of a backend, unavailable does not
// count as passed: without a browser the tests are skipped with the reason; they fail if REQUIRE_BACKENDS contains the
// backend of the site, as in `.ci/run`.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { bundlePage } from './bundle-page.ts';
import type { Site } from './sites.ts';
import { startChromium } from './start-chromium.ts';
import { visitPage, type PageOptions, type Visit } from './visit-page.ts';

type Skip = (reason: string) => never;

/**
 * Must be called once in a test file.
 * @returns a function that returns, for the options of a page, a function that visits this page at its first call
 */
export function usePages<Report>({
  backend,
  entry,
  flags,
}: Site): (options: PageOptions) => (skip: Skip) => Promise<Visit<Report>> {
  let browser: Browser | undefined;
  let failure: unknown;
  let script = '';
  beforeAll(async () => {
    script = await bundlePage(entry);
    try {
      browser = await startChromium(flags);
    } catch (error) {
      failure = error;
    }
  });
  afterAll(() => browser?.close());
  return (options) => {
    let visit: Promise<Visit<Report>> | undefined;
    return (skip) => {
      if (browser === undefined) return skipOrFail(backend, failure, skip);
      visit ??= visitPage(browser, script, options);
      return visit;
    };
  };
}

/** @throws Error if the backend is required */
export function skipOrFail(
  backend: string,
  failure: unknown,
  skip: Skip,
  required: string = process.env['REQUIRE_BACKENDS'] ?? '',
): never {
  const reason = failure instanceof Error ? failure.message : String(failure);
  if (!required.split(',').some((name) => name.trim() === backend)) return skip(`unavailable: ${reason}`);
  throw new Error(`REQUIRE_BACKENDS names ${backend}, but it is unavailable: ${reason}`, { cause: failure });
}
