// Runs the conformance suite in a headless Chromium, without a test runner, and prints a CheckReport as JSON on stdout,
// for `bench conformance`. If there is no browser, no build or no GPU, the report has no outcomes and gives the reason.

import type { CheckReport } from '@vastmax/backend-conformance';
import { bundlePage } from './bundle-page.ts';
import { webGpuConformanceSite } from './sites.ts';
import { startChromium } from './start-chromium.ts';
import { visitPage } from './visit-page.ts';

const { backend: name, entry, flags } = webGpuConformanceSite;

async function check(): Promise<CheckReport> {
  const script = await bundlePage(entry);
  await using browser = await startChromium(flags);
  const { report } = await visitPage<CheckReport>(browser, script, { headers: {} });
  return report;
}

const report = await check().catch((error: unknown): CheckReport => ({
  name,
  status: 'unavailable',
  reason: error instanceof Error ? error.message : String(error),
  outcomes: [],
}));
process.stdout.write(`${JSON.stringify(report)}\n`);
