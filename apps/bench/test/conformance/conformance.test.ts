import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CaseOutcome, CheckReport, ConformanceCase } from '@vastmax/backend-conformance';
import { describe, expect, it } from 'vitest';
import { backendsUnderTest } from '../../src/conformance/backends-under-test.ts';
import { checkBackends, type ConformanceReport } from '../../src/conformance/measure.ts';
import { supportInFull, supportSummary } from '../../src/conformance/report.ts';
import { exceptionsOf, summariseSupport } from '../../src/conformance/support-summary.ts';
import { replaceSection } from '../../src/reporting/marked-sections.ts';

const silent = (): void => undefined;
const cases: readonly ConformanceCase[] = [
  { id: 'order/one', kind: 'rule', subject: 'in call order' },
  { id: 'gemm/small', kind: 'kernel', subject: 'gemm' },
  { id: 'gemm/large', kind: 'kernel', subject: 'gemm' },
  { id: 'fused/one', kind: 'kernel', subject: 'fused' },
].map((one) => ({ ...one, kind: one.kind as ConformanceCase['kind'], needs: [], run: () => Promise.resolve() }));

function reportOf(name: string, statuses: readonly (readonly [CaseOutcome['status'], string?])[]): CheckReport {
  const outcomes = cases.map(({ id, kind, subject }, i): CaseOutcome => {
    const [status, reason] = statuses[i] ?? ['pass'];
    return { id, kind, subject, status, ...(reason === undefined ? {} : { reason }) };
  });
  return { name, status: outcomes.some(({ status }) => status === 'fail') ? 'failed' : 'passed', outcomes };
}

const reports: readonly CheckReport[] = [
  reportOf('good', []),
  reportOf('poor', [
    ['pass'],
    ['fail', 'expected 1, got 2'],
    ['fail', 'expected 1, got 2'],
    ['not-offered', 'offers no fused'],
  ]),
  { name: 'absent', status: 'unavailable', reason: 'no such library', outcomes: [] },
];

describe('the summary of support', () => {
  it('counts by kernel, then by rule, and null where nothing was run', () => {
    expect(summariseSupport(cases, reports)).toEqual([
      { kind: 'kernel', subject: 'gemm', cases: 2, passed: { good: 2, poor: 0, absent: null } },
      { kind: 'kernel', subject: 'fused', cases: 1, passed: { good: 1, poor: 0, absent: null } },
      { kind: 'rule', subject: 'in call order', cases: 1, passed: { good: 1, poor: 1, absent: null } },
    ]);
  });

  it('groups what is not passed by reason', () => {
    expect(exceptionsOf(reports)).toEqual([
      { backends: ['poor'], status: 'fail', reason: 'expected 1, got 2', ids: ['gemm/small', 'gemm/large'] },
      { backends: ['poor'], status: 'not-offered', reason: 'offers no fused', ids: ['fused/one'] },
      { backends: ['absent'], status: 'unavailable', reason: 'no such library', ids: [] },
    ]);
    expect(
      exceptionsOf([reportOf('a', [['fail', 'why']]), reportOf('b', []), reportOf('c', [['fail', 'why']])]),
    ).toEqual([{ backends: ['a', 'c'], status: 'fail', reason: 'why', ids: ['order/one'] }]);
  });

  it('is a table with the reasons below', () => {
    const report: ConformanceReport = {
      bench: 'conformance',
      machine: {
        node: 'v0',
        platform: 'test',
        processor: 'abacus',
        cores: 2,
        memoryGiB: 1,
        date: '2026-01-01T00:00:00.000Z',
      },
      cases: 4,
      backends: [
        { name: 'good', status: 'passed', detail: 'one thread', passed: 4 },
        { name: 'poor', status: 'failed', detail: 'two threads', passed: 1 },
        { name: 'absent', status: 'unavailable', detail: null, passed: 0 },
      ],
      subjects: summariseSupport(cases, reports),
      exceptions: exceptionsOf(reports),
      tables: reports,
    };
    const summary = supportSummary(report);
    expect(summary).toMatch(/^\| poor +\| two threads +\| 1 of 4 +\|$/m);
    expect(summary).toMatch(/^\| absent +\| not available here +\| – +\|$/m);
    expect(summary).toMatch(/^\| gemm +\| 2 of 2 \| 0 of 2 \| – +\|$/m);
    expect(summary).toContain('- poor: FAILED: 2 cases (`gemm/small`, `gemm/large`): expected 1, got 2');
    expect(summary).toContain('- absent: not available here: no such library');
    expect(supportInFull(report)).toMatch(/^\| gemm\/small \| pass \| FAIL \[1\] \|/m);
  });
});

describe('bench conformance', () => {
  it('checks the named backends on the cases asked for', async () => {
    const report = await checkBackends({ backends: ['plain-f64', 'wasm-f32'], cases: 'gather-rows/' }, silent);
    expect(report.cases).toBe(3);
    expect(report.backends.map(({ name, status, passed }) => [name, status, passed])).toEqual([
      ['plain-f64', 'passed', 3],
      ['wasm-f32', 'passed', 3],
    ]);
    expect(report.exceptions).toEqual([]);
    expect(report.tables.map(({ outcomes }) => outcomes.length)).toEqual([3, 3]);
  });

  it('refuses a text that is in no case', async () => {
    await expect(checkBackends({ backends: ['plain-f32'], cases: 'nothing/like-this' }, silent)).rejects.toMatchObject({
      code: 'bad-option',
    });
  });

  it('has its place in docs/backends.md, which names every backend', () => {
    const document = readFileSync(resolve(import.meta.dirname, '../../../../docs/backends.md'), 'utf8');
    expect(replaceSection(document, 'support', 'a table')).toContain('a table');
    for (const name of backendsUnderTest) expect(document).toContain(`| ${name} `);
  });
});
