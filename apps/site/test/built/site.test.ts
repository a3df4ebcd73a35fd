/// <reference lib="dom" />
// The site as it is published: built once, under a path of its own, and read both as files and in a browser.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { startChromium } from '@vastmax/browser-tests/chromium';
import { skipOrFail } from '@vastmax/browser-tests/use-pages';
import { sourceAddress } from '@vastmax/package-tests/source-address';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { root } from '../../src/pages.ts';

const base = '/docs/';
const folder = mkdtempSync(join(tmpdir(), 'vastmax-site-'));
let files: readonly string[] = [];
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const ending = (end: string): string[] => files.filter((file) => file.endsWith(end));

beforeAll(async () => {
  const main = join(root, 'apps/site/src/main.ts');
  await promisify(execFile)(process.execPath, ['--import', 'tsx', main, '--base', base, '--out', folder], {
    cwd: root,
    maxBuffer: 1e8,
  });
  files = (readdirSync(folder, { recursive: true }) as string[]).map((file) => file.replaceAll('\\', '/'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the files', () => {
  it('are a page for every text and every entry point', () => {
    const pages = ['index', 'guides/labels', 'mathematics', 'decisions/0001-source-export-condition', 'packages/top-k'];
    const reference = ['reference/index', 'reference/lm-models/labels', 'reference/spherical-losses'];
    for (const page of [...pages, ...reference]) expect(files).toContain(`${page}.html`);
    expect(read('reference/spherical-losses.html')).toContain('Creates the layer.');
    expect(read('examples/own-loss.html')).toContain('defineSphericalLoss');
    expect(read('decisions.html')).toContain('href="/docs/decisions/0001-source-export-condition.html"');
  });

  it('link to pages, headings and files that exist', () => {
    const html = new Map(ending('.html').map((file) => [file, read(file)]));
    const anchors = new Map(
      [...html].map(([file, text]) => [file, new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) => id))]),
    );
    const address = sourceAddress();
    const broken: string[] = [];
    let count = 0;
    for (const [file, text] of html) {
      if (file === '404.html') continue;
      for (const [, written = ''] of text.matchAll(/ (?:href|src)="([^"]+)"/g)) {
        const target = written.replaceAll('&amp;', '&');
        const [path = '', anchor] = decodeURI(target).split('#');
        if (/^https?:/.test(target)) {
          const ofRepository = [address, address.replace('/blob/', '/tree/')].find((start) => path.startsWith(start));
          if (ofRepository !== undefined && !existsSync(join(root, path.slice(ofRepository.length))))
            broken.push(`${file}: ${target}`);
          continue;
        }
        if (/^(?:data|mailto):/.test(target)) continue;
        count++;
        const absolute =
          path === ''
            ? `${base}${file}`
            : posix.resolve(`${base}${dirname(file)}`, path) + (path.endsWith('/') ? '/' : '');
        const linked = absolute.slice(base.length).replace(/(^|\/)$/, '$1index.html');
        const isThere = absolute.startsWith(base) && files.includes(linked);
        if (!isThere || (anchor !== undefined && anchors.get(linked)?.has(anchor) === false))
          broken.push(`${file}: ${target}`);
      }
    }
    expect(count).toBeGreaterThan(5000);
    expect([...new Set(broken)]).toEqual([]);
  });

  it('load nothing from other hosts', () => {
    const address = '(?:https?:)?//';
    const foreign = [
      ...ending('.html').map(
        (file) => [file, new RegExp(`<(?!a\\b)\\w[^>]*\\s(?:src|href|srcset|data|poster)="${address}`)] as const,
      ),
      ...ending('.css').map((file) => [file, new RegExp(`(?:url\\(|@import)\\s*["']?${address}`)] as const),
      // `src:` is how Vue writes the attribute of an image.
      ...ending('.js').map(
        (file) =>
          [file, new RegExp(`(?:\\bsrc:|fetch\\(|import\\(|Worker\\(|importScripts\\()\\s*["'\`]${address}`)] as const,
      ),
    ];
    expect(
      foreign.flatMap(([file, pattern]) =>
        [pattern.exec(read(file))].flatMap((found) => (found ? `${file}: ${found[0]}` : [])),
      ),
    ).toEqual([]);
  });
});

describe('in a browser', () => {
  let server: Server | undefined;
  let browser: Awaited<ReturnType<typeof startChromium>> | undefined;
  let failure: unknown;
  beforeAll(async () => {
    const types: Readonly<Record<string, string>> = {
      '.html': 'text/html',
      '.js': 'text/javascript',
      '.css': 'text/css',
      '.svg': 'image/svg+xml',
    };
    server = createServer(({ url = '' }, response) => {
      const file = join(
        folder,
        url
          .replace(/[?#].*/, '')
          .slice(base.length)
          .replace(/(^|\/)$/, '$1index.html'),
      );
      if (!url.startsWith(base) || !existsSync(file)) response.writeHead(404).end();
      else
        response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/json' }).end(readFileSync(file));
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    try {
      browser = await startChromium();
    } catch (error) {
      failure = error;
    }
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** What the console and the network had to say while a page was visited. */
  async function visit(path: string, look: (page: Page) => Promise<void>, { skip }: TestContext): Promise<string[]> {
    if (browser === undefined) return skipOrFail('wasm-browser', failure, skip);
    const origin = `http://127.0.0.1:${(server?.address() as AddressInfo).port}`;
    const messages: string[] = [];
    const page = await browser.newPage();
    page.setDefaultTimeout(1_200_000);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') messages.push(message.text());
    });
    page.on('pageerror', (error) => messages.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !/^(?:data|blob):/.test(request.url())) messages.push(request.url());
    });
    await page.goto(`${origin}${base}${path}`);
    await look(page);
    await page.close();
    return messages;
  }

  it.for([
    ['', 'vastmax'],
    ['guides/labels.html', 'Labels of texts'],
    ['mathematics.html', 'The mathematics'],
    ['reference/spherical-losses.html', '@vastmax/spherical-losses'],
  ] as const)('%s opens without an error, and asks no other host', async ([path, title], context) => {
    const look = async (page: Page): Promise<void> => {
      await page.waitForFunction((start) => document.querySelector('h1')?.textContent?.startsWith(start), title);
      await page.locator('.VPSwitchAppearance').first().waitFor({ state: 'attached' });
    };
    expect(await visit(path, look, context)).toEqual([]);
  });

  it('what the reference names is found', async (context) => {
    const look = async (page: Page): Promise<void> => {
      await page.locator('#local-search button').click();
      await page.locator('#localsearch-input').fill('createFactoredOutputLayer');
      await page.locator('.VPLocalSearchBox .result').first().click();
      await page.waitForURL(/spherical-losses\.html#createfactoredoutputlayer/);
    };
    expect(await visit('backends.html', look, context)).toEqual([]);
  });
});
