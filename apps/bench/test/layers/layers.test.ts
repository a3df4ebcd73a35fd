import { readFileSync } from 'node:fs';
import { outputLayers } from '@vastmax/lm-models';
import { expect, it } from 'vitest';
import { documents } from '../../src/layers/command.ts';
import { replaceSection } from '../../src/reporting/marked-sections.ts';

it.each(documents)(
  'the table of docs/$document is that of the registry: pnpm --silent bench layers --out docs',
  ({ document, section, table }) => {
    const text = readFileSync(new URL(`../../../../docs/${document}`, import.meta.url), 'utf8');
    expect(replaceSection(text, section, table())).toBe(text);
  },
);

it.each(documents)('the table of $document has a row for each layer, and every cell says something', ({ table }) => {
  const rows = table().split('\n').slice(2);
  expect(rows).toHaveLength(outputLayers.length);
  for (const row of rows) for (const cell of row.split('|').slice(1, -1)) expect(cell.trim()).not.toBe('');
});
