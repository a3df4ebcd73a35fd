// A headless Chromium, or why there is none. Of the flags that @sparticuz/chromium proposes none is used: they switch
// off the web's security and put all in one process, and what a page may do is what these tests are about.

import { chromium, type Browser } from 'playwright-core';
import { findChromium, type ChromiumFiles } from './chromium-files.ts';

/**
 * @param flags beside those that every page is seen with
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

/** Out of the launcher's long report: the line with which the dynamic linker or the browser gave up. */
function findReason(report: string): string {
  const output = report.split('\n').flatMap((line) => /\[err\]\s*(.+)/.exec(line)?.[1] ?? []);
  return (
    output.find((line) => /shared librar|version `|sandbox|FATAL/i.test(line)) ??
    output[0] ??
    report.split('\n', 1)[0] ??
    report
  );
}
