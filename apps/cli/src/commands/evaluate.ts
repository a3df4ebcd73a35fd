import { Option, type Command } from 'commander';
import { backendHelp, backendNames } from '../backend-choice.ts';
import { encodeText } from '../corpus.ts';
import { describeEvaluation, evaluateText } from '../evaluate-text.ts';
import { Interruption } from '../interruption.ts';
import { wholeNumber } from '../option-values.ts';
import { openModel } from '../saved-model.ts';
import { textColumnHelp } from '../text-options.ts';
import { TextSource } from '../text-source.ts';

interface EvaluateOptions {
  readonly limit: number;
  readonly textColumn: string;
  readonly backend: string;
  readonly json?: true;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('rank the words of a text with a trained model: top-k accuracy, mean reciprocal rank, perplexity')
    .argument('<model>', 'folder of a trained model')
    .argument('<text>', 'text to evaluate on, read as the training text was; - is standard input')
    .option('--limit <n>', 'rank so many words, a fixed random sample; 0 for all', wholeNumber('--limit', 0), 20_000)
    .option('--text-column <name>', textColumnHelp, 'text')
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
  await using source = new TextSource(textFile, { column: options.textColumn });
  const tokens = await encodeText(source, model.vocabulary, opened.text, signal);
  const evaluation = await evaluateText(model, tokens, opened.text.settings, options.limit, signal);
  process.stdout.write(options.json === true ? `${JSON.stringify(evaluation)}\n` : describeEvaluation(textFile, evaluation));
}
