import { describe, expect, it } from 'vitest';
import { trainingOf } from '../../src/compare-trainings.ts';
import type { PageReport } from '../../src/page/report.ts';
import { withPolicy } from '../../src/response-headers.ts';
import { wasmSite } from '../../src/sites.ts';
import { usePages } from '../../src/use-pages.ts';

const page = usePages<PageReport>(wasmSite);

describe('a policy that allows WebAssembly and workers from a blob:', () => {
  const visit = page({ headers: withPolicy({ script: "'wasm-unsafe-eval'", worker: 'blob:' }), threads: [2] });

  it('is all that training with threads needs', async ({ skip }) => {
    const { report, messages, requests, workersStarted } = await visit(skip);
    expect(report.runs[0]).toMatchObject({ name: 'wasm f32, 2 threads' });
    expect(trainingOf(report.runs[0]).losses.at(-1)).toBeLessThan(1);
    expect(workersStarted).toBe(1);
    expect(messages).toEqual([]);
    expect(requests).toEqual(['/', '/page.js']);
  });
});

describe("a policy without 'wasm-unsafe-eval'", () => {
  const visit = page({ headers: withPolicy({ worker: 'blob:' }), threads: [2, 1, 'default'] });

  it('refuses a backend with a reason that names the source to add', async ({ skip }) => {
    const { report, messages, workersStarted } = await visit(skip);
    for (const run of report.runs) {
      expect(run).toMatchObject({
        error: {
          code: 'device-lost',
          message: expect.stringMatching(
            /refused the kernels: .*on a page with a Content-Security-Policy the source 'wasm-unsafe-eval'/,
          ),
        },
      });
    }
    expect(report.runs).toHaveLength(3);
    expect(report.probes[0]).toMatchObject({
      available: false,
      reason: expect.stringMatching(/may not compile WebAssembly: .*'wasm-unsafe-eval'/),
    });
    expect(workersStarted).toBe(0);
    expect(messages).toEqual([]);
  });
});

describe('a policy without workers from a blob:', () => {
  const visit = page({ headers: withPolicy({ script: "'wasm-unsafe-eval'" }), threads: [2, 'default'] });

  it('refuses a number of threads with a reason that names the directive to add', async ({ skip }) => {
    const { report } = await visit(skip);
    expect(report.runs[0]).toMatchObject({
      error: { code: 'device-lost', message: expect.stringMatching(/must allow worker-src blob:/) },
    });
  });

  it('trains with one thread unless told otherwise, and the probe then says why', async ({ skip }) => {
    const { report } = await visit(skip);
    expect(report.runs[1]).toMatchObject({ name: 'wasm f32, 1 thread' });
    expect(trainingOf(report.runs[1]).losses.at(-1)).toBeLessThan(1);
    expect(report.probes[1]).toMatchObject({
      available: true,
      detail: expect.stringMatching(new RegExp(`one thread of ${report.cores}: .*must allow worker-src blob:`)),
    });
  });

  it('is asked for a worker once: the browser itself complains of it, and there is nothing else on the console', async ({
    skip,
  }) => {
    const { messages, requests, workersStarted } = await visit(skip);
    expect(messages).toEqual([
      expect.stringMatching(
        /^Creating a worker from 'blob:.* violates the following Content Security Policy directive/,
      ),
    ]);
    expect(requests).toEqual(['/', '/page.js']);
    expect(workersStarted).toBe(0);
  });
});
