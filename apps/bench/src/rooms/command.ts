import type { Command } from 'commander';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureRooms } from './measure.ts';
import { roomCounts, roomsFiles, roomsTables } from './report.ts';

interface Options {
  readonly json: boolean;
  readonly files: boolean;
}

export function addRoomsCommand(program: Command): void {
  program
    .command('rooms')
    .description('count the source files that run functions in one minibatch, in vastmax train and in vastmax predict')
    .option('--json', 'print one JSON object of five counts instead of a table', false)
    .option('--files', 'print the files, by package, instead of a table', false)
    .addHelpText(
      'after',
      `
Counts files of packages/*/src and apps/cli/src by V8's precise coverage. The top
level of a module does not count, nor what runs only while modules are evaluated.

factored, hybrid  one minibatch through the trainer of lm-models, after 60 steps
                  of warm-up: n-gram model, plain backend; the median of 11 steps
distributed       the same with the trainer's ranks, the sharded factored layer
                  and a communicator of one rank
train             vastmax train of a text of 4,000 words, 40 steps
predict           vastmax predict of what follows two words

Examples:
  $ pnpm --silent bench rooms --json
  $ pnpm --silent bench rooms --files`,
    )
    .action(async ({ json, files }: Options) => {
      const { show, end } = stageProgress('rooms');
      const report = await measureRooms(show);
      end();
      if (json) printReport(roomCounts(report), true, String);
      else printReport(report, false, files ? roomsFiles : roomsTables);
    });
}
