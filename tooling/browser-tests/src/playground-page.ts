// The built playground (apps/playground/dist) in a page: opens it, uses its controls, and reads what it saves.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pageFolder } from '@vastmax/playground/page-files';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { serveFolder } from './page-server.ts';

/** Timeout; only a page that hangs needs so long. */
const milliseconds = 1_200_000;

export interface Playground extends AsyncDisposable {
  readonly page: Page;
  /** Console output and uncaught errors. */
  readonly messages: readonly string[];
  /** Paths that were requested from the server. */
  readonly requests: readonly string[];
}

/** The part of what "Save as JSON" saves that tests read. */
export interface SavedResults {
  readonly backend: string;
  readonly results: readonly {
    readonly layer: string;
    readonly seconds: number;
    readonly examples: number;
    readonly examplesPerSecond: number;
  }[];
  readonly curves: readonly {
    readonly progress: readonly {
      readonly seconds: number;
      readonly examples: number;
      readonly loss: number;
      readonly stepMs: number;
    }[];
    readonly evaluations: readonly { readonly top10: number }[];
  }[];
}

/** @throws Error when the page has not been built. */
export async function openPlayground(
  browser: Browser,
  headers: Readonly<Record<string, string>>,
  { prepare }: { readonly prepare?: (context: BrowserContext) => Promise<void> } = {},
): Promise<Playground> {
  if (!existsSync(pageFolder)) throw new Error(`there is no ${pageFolder}; run pnpm build`);
  const server = await serveFolder(pageFolder, headers);
  // The locale of the machine may be none that a browser knows.
  const context = await browser.newContext({ locale: 'en-US' });
  context.setDefaultTimeout(milliseconds);
  context.setDefaultNavigationTimeout(milliseconds);
  await prepare?.(context);
  const page = await context.newPage();
  const messages: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith('blob:') && !url.startsWith('data:')) requests.push(url.replace(server.origin, ''));
  });
  await page.goto(`${server.origin}/`);
  await page.locator('#start:enabled').waitFor();
  return {
    page,
    messages,
    requests,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits until the line of the state says it. */
export async function stateIs(page: Page, text: string): Promise<void> {
  await page.locator('#state', { hasText: new RegExp(`^${text}$`) }).waitFor();
}

export async function giveText(page: Page, name: string, text: string | Buffer): Promise<void> {
  await page.selectOption('#data', 'file');
  await page.setInputFiles('#text-file', { name, mimeType: 'text/plain', buffer: Buffer.from(text) });
}

/** Presses a button that downloads, and reads the file. */
export async function downloadOf(page: Page, button: string): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return await readFile(await download.path());
}

export async function resultsOf(page: Page): Promise<SavedResults> {
  return JSON.parse((await downloadOf(page, '#save-json')).toString()) as SavedResults;
}
