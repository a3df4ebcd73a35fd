import { readFileSync } from 'node:fs';
import { outputLayers } from '@vastmax/lm-models';
import { expect, it } from 'vitest';
import { documentName, sectionName } from '../../src/layers/command.ts';
import { layersTable } from '../../src/layers/report.ts';
import { replaceSection } from '../../src/reporting/marked-sections.ts';

it('the table of docs/which-output-layer.md is that of the registry: pnpm --silent bench layers --out docs', () => {
  const document = readFileSync(new URL(`../../../../docs/${documentName}`, import.meta.url), 'utf8');
  expect(replaceSection(document, sectionName, layersTable())).toBe(document);
});

it('the table has a row for each layer, and every cell says something', () => {
  const rows = layersTable().split('\n').slice(2);
  expect(rows).toHaveLength(outputLayers.length);
  for (const row of rows) for (const cell of row.split('|').slice(1, -1)) expect(cell.trim()).not.toBe('');
});
