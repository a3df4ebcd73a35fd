import { conformanceCases, type CheckReport } from '@vastmax/backend-conformance';
import { describe, expect, it } from 'vitest';
import { webGpuConformanceSite } from '../../src/sites.ts';
import { skipOrFail, usePages } from '../../src/use-pages.ts';

const visit = usePages<CheckReport>(webGpuConformanceSite)({ headers: {} });

describe('webgpu-chromium', () => {
  it('passes the conformance suite', async ({ skip }) => {
    const { report, requests } = await visit(skip);
    if (report.status === 'unavailable') skipOrFail(webGpuConformanceSite.backend, report.reason, skip);
    const bad = report.outcomes.filter(({ status }) => status !== 'pass' && status !== 'not-offered');
    expect(bad.map(({ id, status, reason = '' }) => `${id}: ${status}: ${reason}`)).toEqual([]);
    expect(report.outcomes.map(({ id }) => id)).toEqual(conformanceCases.map(({ id }) => id));
    expect(requests).toEqual(['/', '/page.js']);
  });
});
