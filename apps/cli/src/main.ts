#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, type Argument } from 'commander';
import { describeFailure } from './terminal/errors.ts';
import { watchStandardOutput } from './terminal/standard-output.ts';

/**
 * Adds a command to the program. Only the module of the requested command is loaded, since most of them import the
 * models; help and completion need all.
 */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  start: async () => (await import('./commands/start.ts')).addStartCommand,
  train: async () => (await import('./commands/train.ts')).addTrainCommand,
  evaluate: async () => (await import('./commands/evaluate.ts')).addEvaluateCommand,
  predict: async () => (await import('./commands/predict.ts')).addPredictCommand,
  recommend: async () => (await import('./commands/recommend.ts')).addRecommendCommand,
  neighbors: async () => (await import('./commands/neighbors.ts')).addNeighborsCommand,
  export: async () => (await import('./commands/export.ts')).addExportCommand,
  'add-classes': async () => (await import('./commands/add-classes.ts')).addAddClassesCommand,
  quantize: async () => (await import('./commands/quantize.ts')).addQuantizeCommand,
  inspect: async () => (await import('./commands/inspect.ts')).addInspectCommand,
  backends: async () => (await import('./commands/backends.ts')).addBackendsCommand,
  vocab: async () => (await import('./commands/vocab.ts')).addVocabCommand,
  tokenize: async () => (await import('./commands/tokenize.ts')).addTokenizeCommand,
  completion: async () => (await import('./commands/completion.ts')).addCompletionCommand,
};

watchStandardOutput();

function usageOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

// Beside the folder of this file, in the sources as in the package.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const program = new Command('vastmax')
  .description(
    'Language models, classifiers and recommenders with very many classes, trained exactly at a cost that does not depend on their number.',
  )
  .version(version, '-V, --version', 'print the version')
  .configureOutput({
    outputError: (text, write) => {
      write(text.replace(/^error: /, 'vastmax: '));
    },
  })
  .configureHelp({
    subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(usageOf)].join(' '),
  })
  .showHelpAfterError('(use --help to list commands and options)')
  .exitOverride();
const requested = process.argv[2] ?? '';
const isOneCommand = Object.hasOwn(commands, requested) && requested !== 'completion';
for (const [name, load] of Object.entries(commands)) if (!isOneCommand || name === requested) (await load())(program);
program.addHelpText(
  'after',
  `
Examples:
  $ vastmax start
  $ vastmax train --help

Exit codes: 0 done, 1 failed, 2 usage error, 130 interrupted (what was
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
