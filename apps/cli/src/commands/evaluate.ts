import { Option, type Command } from 'commander';
import { backendHelp, backendNames } from '../backend-choice.ts';
import { encodeFile } from '../corpus.ts';
import { describeEvaluation, evaluateText } from '../evaluate-text.ts';
import { Interruption } from '../interruption.ts';
import { wholeNumber } from '../option-values.ts';
import { openModel } from '../saved-model.ts';

interface EvaluateOptions {
  readonly limit: number;
  readonly backend: string;
  readonly json?: true;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('rank the words of a text with a trained model: top-k accuracy, mean reciprocal rank, perplexity')
    .argument('<model>', 'folder of a trained model')
    .argument('<text>', 'text to evaluate on, read as the training text was')
    .option('--limit <n>', 'rank so many words, a fixed random sample; 0 for all', wholeNumber('--limit', 0), 20_000)
    .option('--json', 'print one JSON object')
    .addOption(new Option('--backend <name>', backendHelp).choices(backendNames).default('auto'))
    .addHelpText('after', `
Example:
  $ vastmax evaluate models/wiki wiki.valid.tokens.br --limit 0

Ranks are exact over the whole vocabulary, so the time grows with its size.
Beside the model stands the unigram baseline, which predicts every word by its
frequency in the training text.`)
    .action(evaluate);
}

async function evaluate(directory: string, textFile: string, options: EvaluateOptions): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const opened = await openModel(options.backend, directory);
  using model = opened.model;
  const tokens = await encodeFile(textFile, model.vocabulary, opened.text, signal);
  const evaluation = await evaluateText(model, tokens, opened.text, options.limit, signal);
  process.stdout.write(options.json === true ? `${JSON.stringify(evaluation)}\n` : describeEvaluation(textFile, evaluation));
}
