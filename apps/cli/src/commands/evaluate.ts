import { Option, type Command } from 'commander';
import { describeLabelEvaluation, evaluateLabels } from '../labels/evaluate-labels.ts';
import { type LabelModel, readLabelledPoints } from '../labels/label-model.ts';
import { backendHelp, backendNames } from '../options/backend-choice.ts';
import { wholeNumber } from '../options/option-values.ts';
import { textColumnHelp } from '../options/text-options.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { encodeText, TextSource } from '../text/corpus.ts';
import {
  describeEvaluation,
  describeSimilarity,
  evaluateSimilarity,
  evaluateText,
  type SimilarityEvaluation,
  type TextEvaluation,
} from '../text/evaluate-text.ts';
import { openAnyModel, type OpenedModel } from '../text/open-model.ts';

interface EvaluateOptions {
  readonly limit: number;
  readonly similarity?: string;
  readonly textColumn: string;
  readonly backend: string;
  readonly json?: true;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description(
      'rank the words of a text with a trained model: top-k accuracy, mean reciprocal rank, perplexity; or compare its word vectors with human judgements',
    )
    .argument('<model>', 'folder of a trained model')
    .argument('[text]', 'text to evaluate on, read as the training text was; - is standard input')
    .option('--limit <n>', 'rank this many words, a fixed random sample; 0 for all', wholeNumber('--limit', 0), 20_000)
    .option(
      '--similarity <file>',
      "two words and a score a line, with tabs between: Spearman's correlation of the scores with the cosines",
    )
    .option('--text-column <name>', textColumnHelp, 'text')
    .option('--json', 'print one JSON object')
    .addOption(new Option('--backend <name>', backendHelp).choices(backendNames).default('auto'))
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax evaluate models/wiki wiki.valid.tokens.br --limit 0
  $ vastmax evaluate models/vectors --similarity wordsim-353.txt
  $ vastmax evaluate models/bibtex bibtex_test.txt

Ranks are exact over the whole vocabulary, so the time grows with its size.
Beside the model stands the unigram baseline, which predicts every word by its
frequency in the training text. Pairs with a word that the vocabulary lacks are
left out of a correlation; how many are not is printed with it.

A classifier ranks the labels of points in the format that it was trained on:
P@k is precision, R@k recall, PSP@k propensity-scored precision; beside it
stands a model that gives each point the most frequent labels.`,
    )
    .action(evaluate);
}

async function evaluate(
  directory: string,
  textFile: string | undefined,
  options: EvaluateOptions,
  command: Command,
): Promise<void> {
  const { similarity } = options;
  if (textFile === undefined && similarity === undefined)
    command.error("error: missing required argument 'text', or --similarity with a file");
  using interruption = new Interruption();
  const { signal } = interruption;
  const opened = await openAnyModel(options.backend, directory);
  if ('labels' in opened) {
    using labels = opened.labels;
    await evaluatePoints(labels, directory, textFile, options, signal);
    return;
  }
  using model = opened.model;
  const vectors =
    similarity === undefined ? undefined : await evaluateSimilarity(model, opened.text.settings, similarity, signal);
  const ranks = textFile === undefined ? undefined : await rankText(opened, textFile, options, signal);
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ ...ranks, ...(vectors === undefined ? {} : { similarity: vectors }) } satisfies Evaluation)}\n`,
    );
    return;
  }
  const parts = [
    ...(ranks === undefined || textFile === undefined ? [] : [describeEvaluation(textFile, ranks)]),
    ...(vectors === undefined || similarity === undefined ? [] : [describeSimilarity(similarity, vectors)]),
  ];
  process.stdout.write(parts.join('\n'));
}

async function evaluatePoints(
  model: LabelModel,
  directory: string,
  file: string | undefined,
  { similarity, limit, json }: EvaluateOptions,
  signal: AbortSignal,
): Promise<void> {
  if (similarity !== undefined)
    throw new UsageError(`${directory} holds a classifier, which has no word vectors; leave --similarity out`);
  if (file === undefined) return;
  const points = await readLabelledPoints(file, signal, model.shape);
  const evaluation = await evaluateLabels(model, points, limit, signal);
  process.stdout.write(json === true ? `${JSON.stringify(evaluation)}\n` : describeLabelEvaluation(file, evaluation));
}

/** The object that --json prints. */
type Evaluation = Partial<TextEvaluation> & { readonly similarity?: SimilarityEvaluation };

async function rankText(
  { model, text }: OpenedModel,
  textFile: string,
  { textColumn, limit }: EvaluateOptions,
  signal: AbortSignal,
): Promise<TextEvaluation> {
  await using source = new TextSource(textFile, { column: textColumn });
  const tokens = await encodeText(source, model.vocabulary, text, signal);
  return evaluateText(model, tokens, text.settings, limit, signal);
}
