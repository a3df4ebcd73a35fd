import type { Command } from 'commander';
import { positive, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import type { PlaygroundOptions } from './measure.ts';
import { playgroundTables } from './report.ts';

interface Options extends PlaygroundOptions {
  readonly json: boolean;
}

export function addPlaygroundCommand(program: Command): void {
  program
    .command('playground')
    .description('measure the playground in a headless Chromium: size, time to the first step, speed beside Node')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--seconds <n>', 'of training of each sample', positive, 5)
    .option('--rounds <count>', 'samples of each', wholeNumber(1), 3)
    .option('--classes <counts>', 'of the made-up classes', wholeNumbers(1000, 4_000_000), [10_000, 100_000, 1_000_000])
    .addHelpText(
      'after',
      `
The page is built and opened as a user's would be: with threads, on WebAssembly.
The speed is that of its default job, beside the same training in Node on the
same backend, in turns. The rows are steps of the factored layer on made-up
classes.

Example:
  $ pnpm --silent bench playground --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      // A browser and a bundler, which no other bench loads.
      const { measurePlayground } = await import('./measure.ts');
      printReport(await measurePlayground(options), json, playgroundTables);
    });
}
