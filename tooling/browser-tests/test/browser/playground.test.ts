import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { responseHeaders } from '@vastmax/playground/response-headers';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  downloadOf,
  giveText,
  openPlayground,
  resultsOf,
  stateIs,
  type Playground,
} from '../../src/playground-page.ts';
import { webGpuFlags } from '../../src/sites.ts';
import { startChromium } from '../../src/start-chromium.ts';
import { skipOrFail } from '../../src/use-pages.ts';

let browser: Browser | undefined;
let failure: unknown;
const scratch = mkdtempSync(join(tmpdir(), 'vastmax-playground-'));

beforeAll(async () => {
  try {
    browser = await startChromium(webGpuFlags);
  } catch (error) {
    failure = error;
  }
});
afterAll(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true });
});

type Skip = (reason: string) => never;
const { 'Content-Security-Policy': policy = '' } = responseHeaders;

/** Without the speeches unless they are asked for: reading them takes as long as all else. */
function open(
  skip: Skip,
  { headers = responseHeaders, withSpeeches = false, workerBegins = '' } = {},
): Promise<Playground> {
  if (browser === undefined) return skipOrFail('wasm-browser', failure, skip);
  return openPlayground(browser, headers, {
    prepare: async (context) => {
      if (!withSpeeches)
        await context.route('**/state-of-the-union.bin', (route) => route.fulfill({ status: 200, body: '' }));
      if (workerBegins === '') return;
      await context.route('**/assets/main-*.js', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${workerBegins}\n${await response.text()}` });
      });
    },
  });
}

/** Each word is followed by one of two, so that there is something to learn. */
const text = Array.from({ length: 300 }, (_, line) =>
  Array.from({ length: 12 }, (_, place) => `w${(line * 7 + place * (line % 2 === 0 ? 3 : 5)) % 40}`).join(' '),
).join('\n');

async function useSmallModel({ page }: Playground, seconds: number): Promise<void> {
  await giveText(page, 'small.txt', text);
  await page.locator('#state', { hasText: /small\.txt is read/ }).waitFor();
  for (const [id, value] of [
    ['embedding', 8],
    ['hidden', 16],
    ['batch', 32],
    ['seconds', seconds],
  ] as const)
    await page.fill(`#${id}`, String(value));
}

const command = (...words: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [resolve(import.meta.dirname, '../../../../apps/cli/dist/main.js'), ...words]);

describe('the playground', () => {
  it('trains on the speeches as it stands, with threads, and asks the network for nothing more', async ({ skip }) => {
    await using playground = await open(skip, { withSpeeches: true });
    const { page, messages, requests } = playground;
    const loaded = [...requests];
    await page.fill('#seconds', '2');
    await page.click('#start');
    await stateIs(page, 'Finished');
    const { backend, curves } = await resultsOf(page);
    // The software GPU of the tests is not taken by itself.
    expect(backend).toMatch(/WebAssembly.*\d threads? on \d+ core.*emulated in software/);
    const { progress = [], evaluations = [] } = curves[0] ?? {};
    expect(progress.at(-1)?.loss).toBeLessThan(0.9 * Math.log(18_035));
    expect(evaluations.at(-1)?.top10).toBeGreaterThan(0.1);
    await page.click('text=Continue the text');
    await page.locator('#next-words li').first().waitFor();
    await page.click('text=Nearest words');
    await page.locator('#neighbors', { hasText: /\w+ \d\.\d\d, / }).waitFor();
    await page.click('text=Map of frequent words');
    await page.locator('#map text').first().waitFor();
    expect(requests).toEqual(loaded);
    expect(loaded).toContain('/state-of-the-union.bin');
    expect(messages).toEqual([]);
  });

  it('pauses, goes on and stops', async ({ skip }) => {
    await using playground = await open(skip);
    const { page, messages } = playground;
    await useSmallModel(playground, 600);
    await page.click('#start');
    await stateIs(page, 'Training');
    await page.click('#pause');
    await stateIs(page, 'Paused');
    const examples = page.locator('#figures dd').nth(1);
    const paused = await examples.innerText();
    await page.waitForTimeout(300);
    expect(await examples.innerText()).toBe(paused);
    await page.click('#pause');
    await stateIs(page, 'Training');
    await examples.filter({ hasNotText: paused }).waitFor();
    await page.click('#stop');
    await stateIs(page, 'Stopped');
    expect(await page.locator('#table tbody tr').count()).toBe(1);
    expect(messages).toEqual([]);
  });

  it('lets two output layers race for the same seconds, and saves curves and table', async ({ skip }) => {
    await using playground = await open(skip);
    const { page } = playground;
    await page.selectOption('#data', 'made-up');
    await page.fill('#classes', '2000');
    await page.fill('#hidden', '16');
    await page.fill('#batch', '32');
    await page.fill('#seconds', '1');
    await page.click('text=Add an output layer');
    await page.locator('.kind').nth(1).selectOption('factored');
    await page.click('#start');
    await stateIs(page, 'Finished');
    const { results, curves } = await resultsOf(page);
    expect(results.map(({ layer }) => layer)).toEqual(['hybrid', 'factored, z-loss']);
    for (const { seconds } of results) expect(seconds).toBeGreaterThanOrEqual(1);
    for (const { progress } of curves) expect(progress.at(-1)?.loss).toBeLessThan(progress[0]!.loss);
    expect(await page.locator('#table tbody tr').count()).toBe(2);
    expect((await downloadOf(page, '#save-png')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('survives a reload in the middle of training', async ({ skip }) => {
    await using playground = await open(skip);
    const { page, messages } = playground;
    await useSmallModel(playground, 600);
    await page.click('#start');
    await stateIs(page, 'Training');
    await page.locator('#figures div', { hasText: /^Loss\s*\d/ }).waitFor();
    await page.click('#pause');
    await page.locator('#stored', { hasText: 'Kept' }).waitFor();
    // Time, examples, speed, a step, and the loss.
    const figures = async (): Promise<readonly string[]> =>
      (await page.locator('#figures dd').allInnerTexts()).slice(0, 5);
    const paused = await figures();
    await page.reload();
    await page.click('text=Continue it');
    await stateIs(page, 'Paused');
    expect(await figures()).toEqual(paused);
    await page.click('#pause');
    await page
      .locator('#figures dd')
      .nth(1)
      .filter({ hasNotText: paused[1] ?? '' })
      .waitFor();
    await page.click('#stop');
    await stateIs(page, 'Stopped');
    const { progress = [] } = (await resultsOf(page)).curves[0] ?? {};
    expect(progress.map(({ examples }) => examples)).toEqual(
      progress.map(({ examples }) => examples).toSorted((a, b) => a - b),
    );
    expect(messages).toEqual([]);
  });

  it('downloads a model that the command reads, and opens one that the command wrote', async ({ skip }) => {
    await using playground = await open(skip);
    const { page } = playground;
    await useSmallModel(playground, 1);
    await page.click('#start');
    await stateIs(page, 'Finished');
    const tar = join(scratch, 'model.tar');
    writeFileSync(tar, await downloadOf(page, '#save-model'));
    await promisify(execFile)('tar', ['xf', tar, '-C', scratch]);
    const { stdout } = await command('predict', join(scratch, 'vastmax-model'), 'w1', 'w4', '--backend', 'wasm');
    expect(stdout).toMatch(/w\d+/);

    const [file, folder] = [join(scratch, 'small.txt'), join(scratch, 'written')];
    writeFileSync(file, text);
    const sizes = ['--embedding', '8', '--hidden', '16', '--examples', '500', '--backend', 'wasm'];
    await command('train', file, '-o', folder, '--output-layer', 'full', ...sizes);
    const files = readdirSync(folder).map((name) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: readFileSync(join(folder, name)),
    }));
    await page.setInputFiles('#open-model', files);
    await page.locator('#model-title', { hasText: 'a ngram model of' }).waitFor();
    await page.fill('#prompt', 'w1 w4');
    await page.click('text=Continue the text');
    await page.locator('#next-words li').first().waitFor();
  });

  it('says what is wrong with a file', async ({ skip }) => {
    await using playground = await open(skip);
    const { page } = playground;
    const complaint = page.locator('#problem');
    await giveText(page, 'picture.png', Buffer.of(137, 80, 78, 71, 0, 1));
    await complaint.filter({ hasText: 'picture.png is no text file: byte 4 is zero' }).waitFor();
    await giveText(page, 'empty.txt', '');
    await complaint.filter({ hasText: 'empty.txt is empty' }).waitFor();
    await page.setInputFiles('#open-model', {
      name: 'x.tar',
      mimeType: 'application/x-tar',
      buffer: Buffer.alloc(600, 7),
    });
    await complaint.filter({ hasText: 'This is no tar file' }).waitFor();
    await giveText(page, 'short.txt', 'a b');
    await page.click('#start');
    await page.locator('#state', { hasText: 'short.txt: too short to learn from' }).waitFor();
  });

  it('trains with one thread where the page is not isolated, and says why', async ({ skip }) => {
    await using playground = await open(skip, { headers: { 'Content-Security-Policy': policy } });
    const { page } = playground;
    await useSmallModel(playground, 1);
    await page.click('#start');
    await stateIs(page, 'Finished');
    expect((await resultsOf(page)).backend).toMatch(/one thread.*not cross-origin isolated/);
  });

  it('trains where the browser has no WebGPU, and says so', async ({ skip }) => {
    await using playground = await open(skip, { workerBegins: 'delete WorkerNavigator.prototype.gpu;' });
    const { page } = playground;
    await useSmallModel(playground, 1);
    await page.click('#start');
    await stateIs(page, 'Finished');
    expect((await resultsOf(page)).backend).toMatch(/WebAssembly.*this browser has no WebGPU/);
  });

  it('trains on WebGPU where it is asked for', async ({ skip }) => {
    await using playground = await open(skip);
    const { page } = playground;
    await useSmallModel(playground, 1);
    await page.selectOption('#backend', 'webgpu');
    await page.locator('.kind').selectOption('factored');
    await page.click('#start');
    await stateIs(page, 'Finished');
    const { backend, curves } = await resultsOf(page);
    expect(backend).toMatch(/WebGPU on/);
    expect(curves[0]?.progress.length).toBeGreaterThan(0);
  });
});
