/** `bench layers`: the registry of output layers as tables, which are also sections of two documents. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputLayers } from '@vastmax/lm-models';
import type { Command } from 'commander';
import { replaceSection } from '../reporting/marked-sections.ts';
import { layersTable, ranksTable } from './report.ts';

/** Where the tables are: the marked section of a document. */
export const documents = [
  { document: 'which-output-layer.md', section: 'layers', table: layersTable },
  { document: 'many-machines.md', section: 'layers', table: ranksTable },
] as const;

export function addLayersCommand(program: Command): void {
  program
    .command('layers')
    .description('the output layers that there are and what they do over ranks, from their registry')
    .option('--json', 'print one JSON object instead of tables', false)
    .option(
      '-o, --out <folder>',
      `also write the tables into ${documents.map(({ document }) => document).join(' and ')} in this folder`,
    )
    .addHelpText('after', '\nExample:\n  $ pnpm --silent bench layers --out docs')
    .action(async ({ json, out }: { readonly json: boolean; readonly out?: string }) => {
      for (const { document, section, table } of out === undefined ? [] : documents) {
        const path = join(out ?? '', document);
        await writeFile(path, replaceSection(await readFile(path, 'utf8'), section, table()));
      }
      const tables = documents.map(({ table }) => table()).join('\n\n');
      process.stdout.write(`${json ? JSON.stringify({ bench: 'layers', layers: outputLayers }) : tables}\n`);
    });
}
