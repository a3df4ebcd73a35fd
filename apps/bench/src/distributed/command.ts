import { type Command, Option } from 'commander';
import { BenchError } from '../measurement/bench-error.ts';
import { wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measuredLayers } from './measure-rank.ts';
import { type DistributedOptions, measureDistributed } from './measure.ts';
import { distributedTables } from './report.ts';
import { type TransportName, transports } from './start-ranks.ts';

interface Options extends DistributedOptions {
  readonly json: boolean;
}

export function addDistributedCommand(program: Command): void {
  program
    .command('distributed')
    .description('measure an output layer over ranks: time, bytes and messages of a step by the number of classes')
    .option('--json', 'print one JSON object instead of tables', false)
    .option('--classes <D,...>', 'classes of each table', wholeNumbers(100), [10_000, 100_000, 1_000_000, 10_000_000])
    .addOption(new Option('--layer <name>', 'output layer').choices(measuredLayers).default('factored'))
    .option('--ranks <p>', 'processes, or threads', wholeNumber(1, 64), 2)
    .option('--features <d>', 'width of a row', wholeNumber(2, 4096), 128)
    .option('--batch <m>', 'examples of each rank', wholeNumber(1, 65_536), 256)
    .option('--rounds <n>', 'turns of all tables', wholeNumber(1), 10)
    .option('--steps <n>', 'steps of a table in its turn', wholeNumber(1), 10)
    .addOption(
      new Option('--transports <list>', `with commas between: ${transports.join(', ')}`)
        .argParser(transportNames)
        .default(['shared-memory', 'tcp']),
    )
    .option('--no-model', 'leave out what larger machines would do with the factored layer')
    .addHelpText(
      'after',
      `
The transports are Open MPI's, which mpirun is started with. bytesSentPerStep
and messagesPerStep are of one rank; communicationShare is the time in
collectives, waiting included: more ranks than cores wait for each other.

Examples:
  $ pnpm --silent bench distributed --json
  $ pnpm --silent bench distributed --classes 20000000 --ranks 4 --rounds 3 \\
      --transports shared-memory --no-model`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('distributed');
      const report = await measureDistributed(options, show);
      end();
      printReport(report, json, distributedTables);
    });
}

function transportNames(text: string): readonly TransportName[] {
  return [...new Set(text.split(','))].map((name) => {
    const found = transports.find((each) => each === name);
    if (found === undefined)
      throw new BenchError(
        'bad-option',
        `distributed: no transport is called '${name}'; there are ${transports.join(', ')}`,
      );
    return found;
  });
}
