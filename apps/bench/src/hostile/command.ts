import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { hostileKinds, type HostileKind } from './damage.ts';
import { measureHostile, type HostileOptions } from './measure.ts';
import { hostileTables } from './report.ts';

interface Options extends HostileOptions {
  readonly json: boolean;
}

export function addHostileCommand(program: Command): void {
  program
    .command('hostile')
    .description('open damaged files of every kind: what is refused, what is not, and with how much memory')
    .option('--mutations <count>', 'how many', wholeNumber(1), 10_000)
    .option('--seed <n>', 'another seed damages otherwise', wholeNumber(0, 2 ** 20), 1)
    .option('--first <n>', 'number of the first; with --mutations 1 it repeats a finding', wholeNumber(0), 0)
    .option('--kinds <list>', `of these: ${hostileKinds.join(', ')}`, kindsOf, hostileKinds)
    .option('--json', 'print one JSON object instead of a table', false)
    .addHelpText(
      'after',
      `
Half of the files are checkpoints, one of each model and output layer, and half
of those have checksums that fit. Parts of JSON are replaced, left out and
repeated, bytes are flipped, cut off and put in. Each file is opened and used
for one call. A finding is an error without a type, no end within a minute, or
more memory than 4 times the file and 64 MiB above the idle process.

Example:
  $ pnpm --silent bench hostile --mutations 100000 --json`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('hostile');
      const report = await measureHostile(options, {
        onProgress: (done) => {
          show('opened', `${done} of ${options.mutations}`);
        },
        onFinding: ({ number, kind, detail }) => {
          process.stderr.write(`${number} ${kind} ${detail}\n`);
        },
      });
      end();
      printReport(report, json, hostileTables);
      if (report.findings.length > 0) process.exitCode = 1;
    });
}

function kindsOf(text: string): HostileKind[] {
  return text.split(',').map((name) => {
    const kind = hostileKinds.find((each) => each === name);
    if (kind === undefined)
      throw new InvalidArgumentError(`there is no kind '${name}'; there are ${hostileKinds.join(', ')}`);
    return kind;
  });
}
