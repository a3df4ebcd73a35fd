import { Option, type Command } from 'commander';
import { backendHelp, backendNames } from '../backend-choice.ts';
import { table } from '../display.ts';
import { wholeNumber } from '../option-values.ts';
import { openModel } from '../saved-model.ts';
import { tokenizeWith } from '../text-settings.ts';

interface PredictOptions {
  readonly top: number;
  readonly continue: number;
  readonly backend: string;
  readonly json?: true;
}

export function addPredictCommand(program: Command): void {
  program
    .command('predict')
    .description('the most likely next words for a prompt')
    .argument('<model>', 'folder of a trained model')
    .argument('<prompt...>', 'the words so far')
    .option('-k, --top <n>', 'how many next words', wholeNumber('--top', 1), 10)
    .option('--continue <n>', 'append the best word n times and print the text', wholeNumber('--continue', 0), 0)
    .option('--json', 'print one JSON object')
    .addOption(new Option('--backend <name>', backendHelp).choices(backendNames).default('auto'))
    .addHelpText('after', `
Examples:
  $ vastmax predict models/state-of-the-union the united states of
  $ vastmax predict models/state-of-the-union "my fellow" --continue 12

The model sees as many of the last words as it was trained with. Words it does
not know count as its word for unknown ones. A score orders the words of one
prompt; it is no probability.`)
    .action(predict);
}

async function predict(directory: string, prompt: readonly string[], options: PredictOptions): Promise<void> {
  const { model, text } = await openModel(options.backend, directory);
  using owned = model;
  const words = [...tokenizeWith(text)(prompt.join(' '))];
  const unknown = words.filter((word) => model.vocabulary.idOf(word) === model.vocabulary.unknownId && word !== text.unknown);
  if (unknown.length > 0) process.stderr.write(`not in the vocabulary: ${unknown.join(', ')}\n`);
  const next = await owned.predict(words, options.top, text.endOfLine);
  const continued = [...words];
  for (let i = 0; i < options.continue; i++) {
    // The word for unknown words is no text.
    const best = await owned.predict(continued, 2, text.endOfLine);
    continued.push(best.find(({ word }) => word !== text.unknown)?.word ?? text.unknown);
  }
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ prompt: words, next, ...(options.continue > 0 ? { continued } : {}) })}\n`);
    return;
  }
  process.stdout.write(`${table([['word', 'score'], ...next.map(({ word, score }) => [word, score.toFixed(3)])])}\n`);
  if (options.continue > 0) process.stdout.write(`\n${continued.join(' ')}\n`);
}
