/** What `bench report` writes: docs/performance.md, its plots, and the table of claims. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError } from '../measurement/bench-error.ts';
import type { Machine } from '../reporting/machine.ts';
import { replaceSection } from '../reporting/marked-sections.ts';
import type { Claim } from './claims.ts';
import { claimRows, documentSections } from './document-sections.ts';
import type { RunFailure } from './measure.ts';
import type { Measurements } from './measurements.ts';

export interface WholeReport {
  readonly bench: 'report';
  readonly machine: Machine;
  readonly claims: readonly Claim[];
  readonly failures: readonly RunFailure[];
  readonly written: readonly string[];
  readonly results: Measurements;
}

export function reportTable({ claims, failures, written }: WholeReport): string {
  return [
    claimRows(claims),
    ...failures.map(({ run, failure }) => `${run} failed: ${failure}; repeat it with --only '${run}'`),
    `written: ${written.join(', ')}`,
  ].join('\n\n');
}

/** @returns the paths of the plots. */
export async function writePlots(folder: string, results: Measurements): Promise<string[]> {
  // Vega takes a moment to load, and no other bench needs it.
  const { plotSpecifications } = await import('./plots.ts');
  const { renderSvg } = await import('../reporting/svg-plot.ts');
  const paths: string[] = [];
  for (const [name, specification] of plotSpecifications(results)) {
    const path = join(folder, `${name}.svg`);
    await writeFile(path, `${await renderSvg(specification)}\n`);
    paths.push(path);
  }
  return paths;
}

export async function readDocument(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new BenchError(
      'failed',
      `${path} could not be read (${(error as Error).message}); --out is the folder of performance.md`,
    );
  }
}

export async function writeDocument(path: string, results: Measurements): Promise<string> {
  let text = await readDocument(path);
  for (const [name, content] of documentSections(results)) text = replaceSection(text, name, content);
  await writeFile(path, text);
  return path;
}
