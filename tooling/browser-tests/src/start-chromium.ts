// Starts a headless Chromium, or throws the reason why there is none. The flags that @sparticuz/chromium proposes are
// not used: they disable web security and use a single process, but these tests check what a page is allowed to do.

import { chromium, type Browser } from 'playwright-core';
import { findChromium, type ChromiumFiles } from './chromium-files.ts';

/**
 * @param flags flags in addition to the common ones
 * @throws Error that says in one line what is missing on this machine
 */
export async function startChromium(
  flags: readonly string[] = [],
  find: () => Promise<ChromiumFiles> = findChromium,
): Promise<Browser> {
  const { executable, environment } = await find();
  try {
    return await chromium.launch({
      executablePath: executable,
      timeout: 1_200_000,
      env: { ...process.env, ...environment },
      args: ['--disable-background-networking', '--disable-component-update', '--disable-sync', ...flags],
    });
  } catch (cause) {
    throw new Error(`Chromium did not start: ${findReason(String(cause))} (${executable})`, { cause });
  }
}

/** Finds, in the long report of the launcher, the line with the error of the dynamic linker or the browser. */
function findReason(report: string): string {
  const output = report.split('\n').flatMap((line) => /\[err\]\s*(.+)/.exec(line)?.[1] ?? []);
  return (
    output.find((line) => /shared librar|version `|sandbox|FATAL/i.test(line)) ??
    output[0] ??
    report.split('\n', 1)[0] ??
    report
  );
}
