import { describe, expect, it } from 'vitest';
import { startChromium } from '../src/start-chromium.ts';
import { skipOrFail } from '../src/use-pages.ts';

const skip = (reason: string): never => {
  throw new Error(`skipped, ${reason}`);
};

describe('a browser that does not start', () => {
  it('is named with what it said: Node knows none of the options', async () => {
    const find = () => Promise.resolve({ executable: process.execPath, environment: {} });
    await expect(startChromium([], find)).rejects.toThrow(/^Chromium did not start: .*bad option.* \(.*node.*\)$/);
  });

  it('is named when it is not there', async () => {
    const find = () => Promise.resolve({ executable: '/no/such/chromium', environment: {} });
    await expect(startChromium([], find)).rejects.toThrow(/^Chromium did not start: .*\(\/no\/such\/chromium\)$/);
  });

  it('skips the tests with the reason', () => {
    expect(() => skipOrFail('wasm-browser', new Error('no libnss3.so'), skip, 'wasm-f32,wasm-f32-threads-3')).toThrow(
      'skipped, unavailable: no libnss3.so',
    );
  });

  it('fails them where it is required', () => {
    expect(() => skipOrFail('wasm-browser', new Error('no libnss3.so'), skip, 'wasm-f32, wasm-browser')).toThrow(
      'REQUIRE_BACKENDS names wasm-browser, but it is unavailable: no libnss3.so',
    );
  });
});
