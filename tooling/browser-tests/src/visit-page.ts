// Opens a page, waits for its report, and records messages, requests and workers of the browser.

import type { Browser, Page } from 'playwright-core';
import type { ThreadsAsked } from './page/report.ts';
import { servePage } from './page-server.ts';

export interface Visit<Report> {
  readonly report: Report;
  /** Console output and uncaught errors. */
  readonly messages: readonly string[];
  /**
   * Paths on the server of the page, full URLs on other servers. blob: URLs are memory of the page, not network
   * requests, and are left out.
   */
  readonly requests: readonly string[];
  readonly workersStarted: number;
  /** Number of workers that still run some time after the page has finished. */
  readonly workersLeft: number;
}

/** Timeout; only a page that hangs needs so long. */
const seconds = 1200;

export interface PageOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** For wasmSite: the numbers of threads of the backends, which are created one after the other. */
  readonly threads?: readonly ThreadsAsked[];
  /** A file for a screenshot after the report. */
  readonly screenshot?: string;
}

/**
 * @throws Error if the page does not report in time (with its console output), or the first uncaught error of the page
 */
export async function visitPage<Report>(
  browser: Browser,
  script: string,
  { headers, threads = [], screenshot }: PageOptions,
): Promise<Visit<Report>> {
  await using server = await servePage(script, headers);
  const context = await browser.newContext();
  try {
    context.setDefaultTimeout(1000 * seconds);
    context.setDefaultNavigationTimeout(1000 * seconds);
    const page = await context.newPage();
    const messages: string[] = [];
    const requests: string[] = [];
    let workersStarted = 0;
    page.on('console', (message) => messages.push(message.text()));
    const failure = new Promise<never>((_, reject) => {
      page.once('pageerror', reject);
    });
    // The page may fail while it loads, before this promise is awaited; this handler avoids an unhandled rejection.
    // Waiting for the report then fails at once.
    failure.catch(() => undefined);
    page.on('pageerror', (error) => messages.push(String(error)));
    page.on('worker', () => workersStarted++);
    context.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith('blob:')) requests.push(url.replace(server.origin, ''));
    });
    await page.goto(`${server.origin}/#${threads.map((count) => `threads=${count}`).join('&')}`);
    const report = await Promise.race([readReport<Report>(page, messages), failure]);
    if (screenshot !== undefined) await page.screenshot({ path: screenshot });
    return { report, messages, requests, workersStarted, workersLeft: await countWorkersLeft(page) };
  } finally {
    await context.close();
  }
}

async function readReport<Report>(page: Page, messages: readonly string[]): Promise<Report> {
  try {
    const text = await page.locator('output:not(:empty)').textContent({ timeout: 1000 * seconds });
    return JSON.parse(text ?? '') as Report;
  } catch (cause) {
    throw new Error(`the page has not reported within ${seconds} s; its console has ${JSON.stringify(messages)}`, {
      cause,
    });
  }
}

/** The browser reports the end of a worker a little after the page has terminated it. */
async function countWorkersLeft(page: Page): Promise<number> {
  for (let attempt = 0; attempt < 15_000 && page.workers().length > 0; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return page.workers().length;
}
