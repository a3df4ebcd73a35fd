// Open the page, let it do its work, and write down what the browser saw meanwhile.

import type { Browser, Page } from 'playwright-core';
import type { ThreadsAsked } from './page/report.ts';
import { servePage } from './page-server.ts';

export interface Visit<Report> {
  readonly report: Report;
  /** Whatever was written to the console, and errors nobody caught. */
  readonly messages: readonly string[];
  /**
   * Paths of the page's own server, whole URLs of others. A blob: is the page's own memory and asks nothing of a
   * network.
   */
  readonly requests: readonly string[];
  readonly workersStarted: number;
  /** Workers that have not ended some time after the page had finished. */
  readonly workersLeft: number;
}

/** Only a page that hangs takes so long. */
const seconds = 1200;

export interface PageOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Of wasmSite: one backend after the other with so many threads. */
  readonly threads?: readonly ThreadsAsked[];
  /** A file for what the page looks like when it has reported. */
  readonly screenshot?: string;
}

/**
 * @throws Error when the page does not report in time, with what it wrote to the console, or the first one that it does
 * not catch
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
    // A page may fail while it loads, when nobody waits for this yet; the wait for its report then ends at once.
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

/** The end of a worker is told by the browser a little after the page has asked for it. */
async function countWorkersLeft(page: Page): Promise<number> {
  for (let attempt = 0; attempt < 15_000 && page.workers().length > 0; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return page.workers().length;
}
