import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import {
  conformanceCases,
  registerBackendSuite,
  type BackendUnderTest,
  type SuiteOptions,
  type SuiteRunner,
} from '../src/index.ts';
import { createBareBackend, createBrokenBackend } from './broken-backend.ts';

const cases = conformanceCases.filter(({ id }) => id.startsWith('fill/'));

/** A test runner in twenty lines: name → what became of it. */
async function runSuite(subject: BackendUnderTest, options: SuiteOptions = {}): Promise<Record<string, string>> {
  const before: (() => Promise<void>)[] = [];
  const after: (() => Promise<void>)[] = [];
  const tests: Parameters<SuiteRunner['it']>[] = [];
  registerBackendSuite(
    subject,
    {
      describe: (_name, body) => body(),
      it: (...test) => tests.push(test),
      beforeAll: (body) => before.push(body),
      afterAll: (body) => after.push(body),
    },
    { cases, required: new Set(), ...options },
  );
  const results: Record<string, string> = {};
  for (const hook of before) await hook();
  for (const [name, body] of tests) {
    results[name] = 'pass';
    try {
      await body((reason) => {
        results[name] = `skip: ${reason}`;
      });
    } catch (error) {
      results[name] = `fail: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  for (const hook of after) await hook();
  return results;
}

describe('registerBackendSuite', () => {
  it('registers a test for each case, and one for availability', async () => {
    const results = await runSuite({ name: 'plain', create: () => createPlainBackend() });
    expect(results).toEqual({ 'is available': 'pass', 'fill/every-element': 'pass', 'fill/nan-and-infinity': 'pass' });
  });

  it('disposes the backend', async () => {
    const backend = createPlainBackend();
    await runSuite({ name: 'plain', create: () => backend });
    expect(backend.disposed).toBe(true);
  });

  it('fails what fails and shows known failures in the name', async () => {
    const results = await runSuite({
      name: 'broken',
      create: createBrokenBackend,
      knownFailures: { 'fill/nan-and-infinity': 'a guess' },
    });
    expect(results['fill/every-element']).toMatch(/^fail: fill 1×1/);
    expect(results['fill/nan-and-infinity (known failure: a guess)']).toMatch(/^fail: .*remove it/);
  });

  it('refuses an unknown id in knownFailures before any test runs', () => {
    const subject = { name: 'x', create: createBrokenBackend, knownFailures: { 'no/such-case': 'why' } };
    const ignore = (): void => undefined;
    const runner: SuiteRunner = { describe: (_name, body) => body(), it: ignore, beforeAll: ignore, afterAll: ignore };
    expect(() => registerBackendSuite(subject, runner)).toThrow("no case 'no/such-case'");
  });

  it('skips an unavailable backend with the reason, and fails one that is required', async () => {
    const probe = () => ({ available: false, reason: 'no GPU' }) as const;
    const subject = { name: 'gpu', create: () => createPlainBackend(), probe };
    expect(Object.values(await runSuite(subject))).toEqual(new Array(3).fill('skip: unavailable: no GPU'));
    const required = await runSuite(subject, { required: new Set(['gpu']) });
    expect(required['is available']).toBe("fail: REQUIRE_BACKENDS names 'gpu', but it is unavailable: no GPU");
  });

  it('skips the cases of fused kernels that are not offered', async () => {
    const fused = conformanceCases.filter(({ needs }) => needs.length > 0);
    const results = await runSuite({ name: 'bare', create: createBareBackend }, { cases: fused });
    expect(results['symmetric-rank-2-update/transpose/plain']).toBe(
      'skip: offers no symmetricRank2Update; the composition is used',
    );
  });
});
