import type { Command } from 'commander';
import { wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { measureReading, type ReadingOptions } from './measure.ts';
import { readingTables } from './report.ts';

export function addReadingCommand(program: Command): void {
  program
    .command('reading')
    .description('measure how fast files of points, labelled texts, records and words are read')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--megabytes <n>', 'size of each file', wholeNumber(1), 32)
    .option('--rounds <count>', 'how often each is read', wholeNumber(1), 5)
    .addHelpText(
      'after',
      `
The files are generated and removed. Each is read in turns with a pass over its
bytes that checks that they are UTF-8 and looks for line ends.

Example:
  $ pnpm --silent bench reading --megabytes 32`,
    )
    .action(async ({ json, ...options }: ReadingOptions & { readonly json: boolean }) => {
      printReport(await measureReading(options), json, readingTables);
    });
}
