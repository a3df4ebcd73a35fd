import { expect, it } from 'vitest';
import type { SavedCheckpointReport } from '../../src/page/report.ts';
import { savedCheckpointSite } from '../../src/sites.ts';
import { usePages } from '../../src/use-pages.ts';

const visit = usePages<SavedCheckpointReport>(savedCheckpointSite)({ headers: {} });

it('saves into its private files, loads itself again, and opens what it saved, also as Blobs', async ({ skip }) => {
  const { report, messages, requests } = await visit(skip);
  const { opened, asBlobs, expected, files, damaged } = report;
  expect(opened).toEqual({ step: 2, text: '["schön"]', values: expected });
  expect(asBlobs).toEqual(opened);
  expect(files.join(' ')).toMatch(
    /^checkpoint\.json vocabulary-[0-9a-f]{16}\.json weights-2-[0-9a-f]{8}\.safetensors$/,
  );
  expect(damaged).toBe('truncated');
  expect(messages).toEqual([]);
  expect(requests).toEqual(['/', '/page.js', '/', '/page.js']);
});
