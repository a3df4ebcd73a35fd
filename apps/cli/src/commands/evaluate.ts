import type { Command } from 'commander';
import type { Classifier, DenseClassifier } from '@vastmax/lm-models/labels';
import { SparseBatches, type DenseBatches } from '@vastmax/sparse-data';
import {
  describeLabelEvaluation,
  describePredictions,
  evaluateExamples,
  evaluateLabels,
  evaluatePredictions,
  nameOfExamples,
  type LabelEvaluation,
  type PredictionEvaluation,
} from '../labels/evaluate-labels.ts';
import { readLabelledRows } from '../labels/label-data.ts';
import { evaluationBatches, readHeldOut } from '../dense/dense-data.ts';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { addFeatureInputOptions, type FeatureInputOptions } from '../options/feature-options.ts';
import { finite, wholeNumber, wholeNumbers } from '../options/option-values.ts';
import { addLabelledInputOptions, type LabelledInputOptions } from '../options/text-label-options.ts';
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
import { openAnyModel, ownerOf, type AnyOpenedModel, type OpenedModel } from '../text/open-model.ts';
import type { Recommender } from '@vastmax/lm-models/recommenders';
import { describeRecommenderEvaluation, evaluateWithProgress } from '../recommend/evaluate-recommendations.ts';
import { readTest } from '../recommend/interaction-data.ts';
import { addInteractionInputOptions, type InteractionInputOptions } from '../options/interaction-options.ts';

interface EvaluateOptions extends BackendOptions, LabelledInputOptions, FeatureInputOptions, InteractionInputOptions {
  readonly labels?: string;
  readonly topItems?: readonly number[];
  readonly limit: number;
  readonly similarity?: string;
  readonly top?: number;
  readonly threshold?: number;
  readonly perLabel?: true;
  readonly json?: true;
}

export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .description(
      'rank the words of a text, the labels of texts or points, or the items of users with a trained model; or compare its word vectors with human judgements',
    )
    .argument('<model>', 'folder of a trained model')
    .argument(
      '[text]',
      'text or data to evaluate on, read as the training data was; - is standard input; not needed for a recommender, which has kept what was held out',
    )
    .option(
      '--limit <n>',
      'rank for this many words, texts or users, a fixed random sample; 0 for all',
      wholeNumber('--limit', 0),
      20_000,
    )
    .option(
      '--similarity <file>',
      "two words and a score a line, with tabs between: Spearman's correlation of the scores with the cosines",
    )
    .option('-k, --top <n>', 'classifier: score the n best labels as predictions', wholeNumber('--top', 1))
    .option(
      '--threshold <p>',
      'classifier: predictions with at least this probability (or score, where the layer has none)',
      finite('--threshold'),
    )
    .option('--per-label', 'classifier: precision, recall and F1 of each label too')
    .option(
      '--top-items <k,...>',
      'recommender: lengths of the lists of recommendations (default: 10,20,50)',
      wholeNumbers('--top-items', 1),
    )
    .option('--text-column <name>', textColumnHelp, 'text')
    .option('--json', 'print one JSON object');
  addLabelledInputOptions(command);
  addInteractionInputOptions(command);
  addFeatureInputOptions(command).option('--labels <file>', 'classifier of vectors: a line of labels for each vector');
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax evaluate models/wiki wiki.valid.tokens.br --limit 0
  $ vastmax evaluate models/vectors --similarity wordsim-353.txt
  $ vastmax evaluate models/bibtex bibtex_test.txt
  $ vastmax evaluate models/films
  $ vastmax evaluate models/films test.csv --limit 0 --top-items 20
  $ vastmax evaluate models/topics test.txt --top 1 --threshold 0.5 --per-label
  $ vastmax evaluate models/own --features test.npy --labels test-labels.txt

Ranks are exact over the whole vocabulary, so the time grows with its size.
Beside the model stands the unigram baseline, which predicts every word by its
frequency in the training text. Pairs with a word that the vocabulary lacks are
left out of a correlation; how many are not is printed with it.

A classifier ranks the labels of points or texts in the format that it was
trained on, or of texts in another one: P@k is precision, R@k recall, PSP@k
propensity-scored precision; beside it stands a model that gives each the most
frequent labels. --top, --threshold and --per-label count what is predicted as
fasttext test and test-label do: over all labels together, and of each label.

A recommender ranks the whole catalogue for each user, without what the user
had before, for what was held out of training; or for the interactions of a file
of the same users, who are then known by all of the training data. Beside it
stand two that learn nothing: item-kNN, what users have who have the same, and
popularity, what most users have.`,
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
  using interruption = new Interruption();
  const { signal } = interruption;
  const opened = await openAnyModel(options, directory);
  const foreign = foreignOption(opened, textFile, options);
  if (foreign !== undefined) {
    ownerOf(opened)[Symbol.dispose]();
    throw new UsageError(`${directory} holds ${kindNames[kindOf(opened)]}, which ${foreign}`);
  }
  if ('recommender' in opened) {
    using recommender = opened.recommender;
    await evaluateItems(recommender, textFile, options, signal);
    return;
  }
  if ('dense' in opened) {
    using dense = opened.dense;
    await evaluateVectors(dense, directory, options, signal);
    return;
  }
  if (textFile === undefined && similarity === undefined) {
    ownerOf(opened)[Symbol.dispose]();
    command.error("error: missing required argument 'text', or --similarity with a file");
  }
  if ('classifier' in opened) {
    using classifier = opened.classifier;
    await evaluateClassifier(classifier, textFile, options, signal);
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

type ModelKind = 'words' | 'classifier' | 'vectors' | 'recommender';
const kindNames: Readonly<Record<ModelKind, string>> = {
  words: 'a model over words',
  classifier: 'a classifier',
  vectors: 'a classifier of vectors',
  recommender: 'a recommender',
};

function kindOf(opened: AnyOpenedModel): ModelKind {
  if ('recommender' in opened) return 'recommender';
  if ('dense' in opened) return 'vectors';
  return 'classifier' in opened ? 'classifier' : 'words';
}

/** The options that not every kind of model has. */
const ownOptions: readonly (readonly [name: keyof EvaluateOptions, flag: string, kinds: readonly ModelKind[]])[] = [
  ['similarity', '--similarity', ['words']],
  ['top', '--top', ['classifier', 'vectors']],
  ['threshold', '--threshold', ['classifier', 'vectors']],
  ['perLabel', '--per-label', ['classifier', 'vectors']],
  ['labelFormat', '--label-format', ['classifier']],
  ['labelColumn', '--label-column', ['classifier']],
  ['labelSeparator', '--label-separator', ['classifier', 'vectors']],
  ['features', '--features', ['vectors']],
  ['featuresArray', '--features-array', ['vectors']],
  ['labels', '--labels', ['vectors']],
  ['topItems', '--top-items', ['recommender']],
  ['interactionFormat', '--interaction-format', ['recommender']],
  ['userColumn', '--user-column', ['recommender']],
  ['itemColumn', '--item-column', ['recommender']],
  ['timeColumn', '--time-column', ['recommender']],
  ['weightColumn', '--weight-column', ['recommender']],
];

/** What was given and has no meaning for the model, as the end of a sentence. */
function foreignOption(
  opened: AnyOpenedModel,
  textFile: string | undefined,
  options: EvaluateOptions,
): string | undefined {
  const kind = kindOf(opened);
  const found = ownOptions.find(([name, , kinds]) => options[name] !== undefined && !kinds.includes(kind));
  if (found !== undefined) return `has no ${found[1]}; leave it out`;
  return kind === 'vectors' && textFile !== undefined
    ? `reads --features and --labels; leave '${textFile}' out`
    : undefined;
}

async function evaluateItems(
  recommender: Recommender,
  file: string | undefined,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { limit, json, topItems } = options;
  const ks = topItems === undefined ? {} : { ks: topItems };
  const test = await readTest(recommender, file, options, signal);
  const evaluation = await evaluateWithProgress(recommender, test, { limit, signal, ...ks });
  process.stdout.write(
    json === true
      ? `${JSON.stringify(evaluation)}\n`
      : describeRecommenderEvaluation(file ?? 'what was held out', evaluation),
  );
}

async function evaluateClassifier(
  classifier: Classifier,
  file: string | undefined,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { limit, top, threshold, perLabel = false } = options;
  if (file === undefined) return;
  const rows = await readLabelledRows(file, classifier, options, signal);
  const evaluation = await evaluateLabels(classifier, rows, limit, signal);
  const counts = perLabel || top !== undefined || threshold !== undefined;
  const rule = { k: top ?? 1, ...(threshold === undefined ? {} : { threshold }) };
  const batches = new SparseBatches({ ...rows, batchSize: 256, seed: 0 });
  const predictions = counts ? await evaluatePredictions(classifier, batches, rule, limit, signal) : undefined;
  printEvaluation(file, nameOfExamples(classifier), { evaluation, predictions, options });
}

async function evaluateVectors(
  classifier: DenseClassifier,
  directory: string,
  options: EvaluateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { features, featuresArray: array, labels, labelSeparator, limit, top, threshold, perLabel = false } = options;
  if (features === undefined || labels === undefined)
    throw new UsageError(`${directory} holds a classifier of vectors; give --features and --labels`);
  const { precision } = classifier.network.backend;
  using held = await readHeldOut({ features, array, labels, labelSeparator, precision }, classifier, signal);
  const batches = (): DenseBatches => evaluationBatches(held);
  const evaluation = await evaluateExamples(classifier, batches, { limit, what: 'examples', signal });
  const counts = perLabel || top !== undefined || threshold !== undefined;
  const rule = { k: top ?? 1, ...(threshold === undefined ? {} : { threshold }) };
  const predictions = counts ? await evaluatePredictions(classifier, batches(), rule, limit, signal) : undefined;
  printEvaluation(features, 'examples', { evaluation, predictions, options });
}

interface PrintedEvaluation {
  readonly evaluation: LabelEvaluation;
  readonly predictions: PredictionEvaluation | undefined;
  readonly options: EvaluateOptions;
}

function printEvaluation(
  file: string,
  examples: string,
  { evaluation, predictions, options: { json, perLabel } }: PrintedEvaluation,
): void {
  if (json === true) {
    const { labels, ...all } = predictions ?? {};
    const printed =
      predictions === undefined ? {} : { predictions: { ...all, ...(perLabel === true ? { labels } : {}) } };
    process.stdout.write(`${JSON.stringify({ ...evaluation, ...printed })}\n`);
    return;
  }
  process.stdout.write(describeLabelEvaluation(file, evaluation, examples));
  if (predictions !== undefined) process.stdout.write(`\n${describePredictions(predictions, perLabel === true)}`);
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
