#!/usr/bin/env node
import { Command, CommanderError, type Argument } from 'commander';
import { addCompletionCommand } from './commands/completion.ts';
import { addEvaluateCommand } from './commands/evaluate.ts';
import { addExportCommand } from './commands/export.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addNeighborsCommand } from './commands/neighbors.ts';
import { addPredictCommand } from './commands/predict.ts';
import { addStartCommand } from './commands/start.ts';
import { addTokenizeCommand } from './commands/tokenize.ts';
import { addTrainCommand } from './commands/train.ts';
import { addVocabCommand } from './commands/vocab.ts';
import { describeFailure } from './failure.ts';

// A reader that has seen enough (`| head`) is no error, and a full disk behind `>` is one; either way the work goes on,
// for training may be what it was called for.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`vastmax: standard output could not be written: ${error.message}\n`);
  process.exitCode = 1;
});
// There is nowhere left to say it.
process.stderr.on('error', () => undefined);

function usageOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

const program = new Command('vastmax')
  .description(
    'Language models with very many classes, trained exactly at a cost that does not depend on their number.',
  )
  .configureOutput({
    outputError: (text, write) => {
      write(text.replace(/^error: /, 'vastmax: '));
    },
  })
  .configureHelp({
    subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(usageOf)].join(' '),
  })
  .showHelpAfterError('(add --help for what there is)')
  .exitOverride();
addStartCommand(program);
addTrainCommand(program);
addEvaluateCommand(program);
addPredictCommand(program);
addNeighborsCommand(program);
addExportCommand(program);
addInspectCommand(program);
addVocabCommand(program);
addTokenizeCommand(program);
addCompletionCommand(program);
program.addHelpText(
  'after',
  `
Examples:
  $ vastmax start
  $ vastmax train --help

Exit codes: 0 done, 1 failed, 2 called wrongly, 130 interrupted (what was
learned is saved). Results go to standard output, progress, warnings and errors
to standard error.`,
);

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { message, exitCode } = describeFailure(error);
    process.stderr.write(`vastmax: ${message}\n`);
    process.exitCode = exitCode;
  }
}
