import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import {
  checkBackend,
  checkKnownFailures,
  conformanceCases,
  findAvailability,
  requiredBackends,
} from '../src/index.ts';
import { createBareBackend, createBrokenBackend } from './broken-backend.ts';

const fillCases = conformanceCases.filter(({ id }) => id.startsWith('fill/'));
const none: ReadonlySet<string> = new Set();

describe('the cases', () => {
  it('have unique ids of lower-case words and slashes', () => {
    const ids = conformanceCases.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9-]+(\/[a-zA-Z0-9-]+)+$/);
  });

  it('name every kernel of the interface', () => {
    const kernels = new Set(conformanceCases.filter(({ kind }) => kind === 'kernel').map(({ subject }) => subject));
    for (const kernel of [
      'fill',
      'copy',
      'copyColumns',
      'addDiagonal',
      'gemm',
      'rowDot',
      'scaleRows',
      'axpy',
      'affine',
      'unary',
      'binary',
      'reduce',
      'gatherRows',
      'scatterAddRows',
      'scatterRows',
      'solve',
      'symmetricRank2Update',
    ]) {
      expect(kernels).toContain(kernel);
    }
  });
});

describe('checkBackend', () => {
  it('passes a right backend and fails a wrong one, naming the element', async () => {
    const right = await checkBackend({ name: 'right', create: () => createPlainBackend() }, { cases: fillCases });
    expect(right.status).toBe('passed');
    const wrong = await checkBackend({ name: 'wrong', create: createBrokenBackend }, { cases: fillCases });
    expect(wrong.status).toBe('failed');
    const outcome = wrong.outcomes.find(({ id }) => id === 'fill/every-element');
    expect(outcome?.reason).toContain('got -1.5, expected exactly -2.5');
  });

  it('accepts a known failure that fails, with its reason', async () => {
    const knownFailures = { 'fill/every-element': 'adds one', 'fill/nan-and-infinity': 'adds one' };
    const report = await checkBackend(
      { name: 'known', create: createBrokenBackend, knownFailures },
      { cases: fillCases },
    );
    // NaN + 1 and -Infinity + 1 are what they were: that case passes, which is a failure of the list.
    expect(report.outcomes.map(({ status }) => status)).toEqual(['known-failure', 'fail']);
    expect(report.outcomes[0]?.reason).toBe('adds one');
    expect(report.outcomes[1]?.reason).toContain('remove it from knownFailures');
    expect(report.status).toBe('failed');
  });

  it('refuses unknown ids and empty reasons', async () => {
    const create = createBrokenBackend;
    await expect(checkBackend({ name: 'x', create, knownFailures: { 'fill/nothing': 'why' } })).rejects.toThrow(
      "no case 'fill/nothing'",
    );
    expect(() =>
      checkKnownFailures({ name: 'x', create, knownFailures: { 'fill/every-element': ' ' } }, fillCases),
    ).toThrow('has no reason');
  });

  it('reports a leak', async () => {
    const create = () => Object.defineProperty(createPlainBackend(), 'release', { value: () => undefined });
    const { outcomes } = await checkBackend({ name: 'leaky', create }, { cases: fillCases });
    expect(outcomes[1]?.reason).toMatch(/^leak: .* 2 matrices, 0 tables, 0 index lists and 72 bytes/);
  });

  it('says which fused kernels are not offered', async () => {
    const cases = conformanceCases.filter(({ id }) => id.startsWith('symmetric-rank-2-update/'));
    const { status, outcomes } = await checkBackend({ name: 'bare', create: createBareBackend }, { cases });
    expect(status).toBe('passed');
    expect(new Set(outcomes.map((outcome) => outcome.status))).toEqual(new Set(['not-offered']));
    expect(outcomes[0]?.reason).toContain('symmetricRank2Update');
  });
});

describe('availability', () => {
  const absent = {
    name: 'absent',
    create: () => createPlainBackend(),
    probe: () => ({ available: false, reason: 'no such device' }) as const,
  };

  it('is not a pass: unavailable where optional, failed where required, with the reason', async () => {
    const optional = await checkBackend(absent, { cases: fillCases, required: none });
    expect(optional).toMatchObject({ status: 'unavailable', reason: 'no such device' });
    expect(optional.outcomes.every(({ status }) => status === 'unavailable')).toBe(true);
    const required = await checkBackend(absent, { cases: fillCases, required: new Set(['absent']) });
    expect(required).toMatchObject({ status: 'failed', reason: 'no such device' });
  });

  it('takes a probe that throws for an answer', async () => {
    const probe = () => {
      throw new Error('libopenblas.so not found');
    };
    expect(await findAvailability({ ...absent, probe }, none)).toEqual({
      available: false,
      reason: 'the probe failed: libopenblas.so not found',
      required: false,
    });
  });

  it('reads REQUIRE_BACKENDS', () => {
    expect(requiredBackends({ REQUIRE_BACKENDS: 'plain-f32, wasm,,webgpu ' })).toEqual(
      new Set(['plain-f32', 'wasm', 'webgpu']),
    );
    expect(requiredBackends({})).toEqual(none);
  });
});
