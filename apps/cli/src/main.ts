#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addEvaluateCommand } from './commands/evaluate.ts';
import { addInspectCommand } from './commands/inspect.ts';
import { addNeighborsCommand } from './commands/neighbors.ts';
import { addPredictCommand } from './commands/predict.ts';
import { addStartCommand } from './commands/start.ts';
import { addTrainCommand } from './commands/train.ts';
import { describeFailure } from './failure.ts';

const program = new Command('vastmax')
  .description('Language models with very many classes, trained exactly at a cost that does not depend on their number.')
  .showHelpAfterError('(add --help for what there is)')
  .exitOverride();
addStartCommand(program);
addTrainCommand(program);
addEvaluateCommand(program);
addPredictCommand(program);
addNeighborsCommand(program);
addInspectCommand(program);
program.addHelpText('after', `
Exit codes: 0 done, 1 failed, 2 called wrongly, 130 interrupted (what was learned is saved).`);
for (const command of program.commands) command.exitOverride().showHelpAfterError('(add --help for what there is)');

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { message, exitCode } = describeFailure(error);
    process.stderr.write(`vastmax: ${message}\n`);
    process.exitCode = exitCode;
  }
}
