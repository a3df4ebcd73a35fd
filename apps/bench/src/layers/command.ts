/** `bench layers`: the registry of output layers as a table, which is also a section of docs/which-output-layer.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputLayers } from '@vastmax/lm-models';
import type { Command } from 'commander';
import { replaceSection } from '../reporting/marked-sections.ts';
import { layersTable } from './report.ts';

export const documentName = 'which-output-layer.md';
export const sectionName = 'layers';

export function addLayersCommand(program: Command): void {
  program
    .command('layers')
    .description('the output layers that there are, from their registry')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('-o, --out <folder>', `also write the table into ${documentName} in this folder`)
    .addHelpText('after', '\nExample:\n  $ pnpm --silent bench layers --out docs')
    .action(async ({ json, out }: { readonly json: boolean; readonly out?: string }) => {
      const table = layersTable();
      if (out !== undefined) {
        const path = join(out, documentName);
        await writeFile(path, replaceSection(await readFile(path, 'utf8'), sectionName, table));
      }
      process.stdout.write(`${json ? JSON.stringify({ bench: 'layers', layers: outputLayers }) : table}\n`);
    });
}
