import type { Command } from 'commander';
import { drawNextWord, type NextWord } from '@vastmax/lm-models';
import type { Classifier } from '@vastmax/lm-models/labels';
import { RandomGenerator } from '@vastmax/sparse-data';
import { labelsOfText, predictLabels } from '../labels/predict-labels.ts';
import { predictVectors } from '../dense/predict-dense.ts';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { addFeatureInputOptions, type FeatureInputOptions } from '../options/feature-options.ts';
import { finite, positive, share, wholeNumber } from '../options/option-values.ts';
import { addLabelledInputOptions, type LabelledInputOptions } from '../options/text-label-options.ts';
import { textColumnHelp } from '../options/text-options.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { table } from '../terminal/terminal.ts';
import { openAnyModel, ownerOf, withWordsOrPoints, type OpenedModel } from '../text/open-model.ts';
import { predictLines } from '../text/predict-lines.ts';

interface PredictOptions extends BackendOptions, LabelledInputOptions, FeatureInputOptions {
  readonly top: number;
  readonly threshold?: number;
  readonly continue: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly input?: string;
  readonly batch: number;
  readonly json?: true;
}

export function addPredictCommand(program: Command): void {
  const command = program
    .command('predict')
    .description('the most likely next words for a prompt, or the most likely labels of a text; or of each of a file')
    .argument('<model>', 'folder of a trained model')
    .argument('[prompt...]', 'the words of the prompt')
    .option('-k, --top <n>', 'how many next words or labels', wholeNumber('--top', 1), 10)
    .option(
      '--threshold <score>',
      'only words with at least this score; labels with at least this probability, or score where there is none',
      finite('--threshold'),
    )
    .option(
      '--continue <n>',
      'append the best word up to n times, until the line ends, and print the text',
      wholeNumber('--continue', 0),
      0,
    )
    .option('--temperature <t>', 'with --continue: draw the words; below 1 likelier ones', positive('--temperature'))
    .option('--top-k <n>', 'with --continue: draw from the n best words (default: 50)', wholeNumber('--top-k', 1))
    .option(
      '--top-p <p>',
      'with --continue: draw from the best words that have this share of the probability',
      share('--top-p'),
    )
    .option('--seed <n>', 'with --continue: of the draws (default: another one each time)', wholeNumber('--seed', 0))
    .option(
      '--input <file>',
      'JSON Lines of prompts; points or texts for a classifier; plain or compressed; - is standard input; prints JSON Lines',
    )
    .option('--batch <n>', 'with --input: prompts at a time', wholeNumber('--batch', 1), 256)
    .option('--json', 'print one JSON object');
  addFeatureInputOptions(command);
  addLabelledInputOptions(command).option('--text-column <name>', textColumnHelp, 'text');
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax predict models/state-of-the-union the united states of
  $ vastmax predict models/state-of-the-union "my fellow" --continue 12
  $ vastmax predict models/gpt "in the year" --continue 40 --temperature 0.8 \\
      --top-p 0.9
  $ vastmax predict models/wiki --input prompts.jsonl -k 5 > next.jsonl
  $ vastmax predict models/topics "which baking dish is best" -k 3
  $ vastmax predict models/topics --input texts.txt --threshold 0.5 > out.jsonl
  $ vastmax predict models/own --features new.npy -k 5 > labels.jsonl

The model sees as many of the last words as it was trained with. Words it does
not know count as its word for unknown ones; cbow takes the prompt for the
words around, skip-gram its last word. A score orders the words of one
prompt; it is no probability.

--continue takes the best word each time, and draws one where a --temperature,
--top-k, --top-p or --seed is given; scores of a layer that is not normalised
are then taken for logarithms of probabilities. It stops where the model ends
the line, whose end is not printed. A transformer reads each word once; when it
has as many as it sees at once, it goes on from the last half of them.

A line of --input is a string, or an object whose "prompt" is a text or an
array of words; the object comes back with "next" added, in the same order.
For a classifier --input has points or texts, with labels or without: lines, or
csv, tsv and jsonl with a --text-column. For each comes an object with its
"line" in the file and its best "labels": a "score", and a "probability" where
the output layer has probabilities. A classifier of vectors is asked with
--features: for each comes its "row", from 1, and its "name" where the file has
names.`,
    )
    .action(predict);
}

async function predict(
  directory: string,
  prompt: readonly string[],
  options: PredictOptions,
  command: Command,
): Promise<void> {
  const { input } = options;
  if (isDrawn(options) && options.continue === 0)
    throw new UsageError('--temperature, --top-k, --top-p and --seed are of --continue; give it how many words');
  if (options.topP === 0) throw new UsageError('--top-p is 0, and draws from nothing; give a share above 0');
  if (options.features !== undefined) {
    await predictFeatures(directory, prompt, options);
    return;
  }
  if (input === undefined) {
    if (prompt.length === 0) command.error("error: missing required argument 'prompt'");
    const opened = withWordsOrPoints(await openAnyModel(options, directory), directory);
    await ('classifier' in opened
      ? predictText(opened.classifier, directory, prompt.join(' '), options)
      : predictPrompt(opened, prompt.join(' '), options));
    return;
  }
  if (prompt.length > 0)
    throw new UsageError(`the prompts come from --input ${input}; leave '${prompt.join(' ')}' out`);
  if (options.continue > 0)
    throw new UsageError('--continue is for one prompt, not for those of --input; leave it out');
  using interruption = new Interruption();
  const opened = withWordsOrPoints(await openAnyModel(options, directory), directory);
  if ('classifier' in opened) {
    using classifier = opened.classifier;
    await predictLabels(classifier, input, { ...options, signal: interruption.signal });
    return;
  }
  const { model, text } = opened;
  using owned = model;
  await predictLines(owned, text, input, { ...options, signal: interruption.signal });
}

function isDrawn({ temperature, topK, topP, seed }: PredictOptions): boolean {
  return [temperature, topK, topP, seed].some((value) => value !== undefined);
}

async function predictFeatures(directory: string, prompt: readonly string[], options: PredictOptions): Promise<void> {
  if (prompt.length > 0 || options.input !== undefined || options.continue > 0)
    throw new UsageError('--features asks for the labels of vectors; leave the prompt, --input and --continue out');
  using interruption = new Interruption();
  const opened = await openAnyModel(options, directory);
  using owned = ownerOf(opened);
  void owned;
  if (!('dense' in opened)) throw new UsageError(`${directory} holds no classifier of vectors; leave --features out`);
  await predictVectors(opened.dense, options, interruption.signal);
}

async function predictText(
  classifier: Classifier,
  directory: string,
  text: string,
  options: PredictOptions,
): Promise<void> {
  using owned = classifier;
  const { texts } = owned;
  if (texts === undefined)
    throw new UsageError(
      `${directory} holds a classifier of points, which has no words; ask it with --input and a file of points`,
    );
  if (options.continue > 0)
    throw new UsageError('--continue is for language models, and this is a classifier; leave it out');
  using interruption = new Interruption();
  const { signal } = interruption;
  const labels = await labelsOfText(owned, texts, text, { ...options, signal });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ text, labels })}\n`);
    return;
  }
  const hasProbabilities = labels.some(({ probability }) => probability !== undefined);
  const rows = labels.map(({ label, probability, score }) => [String(label), (probability ?? score).toFixed(3)]);
  process.stdout.write(`${table([['label', hasProbabilities ? 'probability' : 'score'], ...rows])}\n`);
}

async function predictPrompt({ model, text }: OpenedModel, prompt: string, options: PredictOptions): Promise<void> {
  using owned = model;
  const { settings } = text;
  const words = [...text.tokenize(prompt)];
  const unknown = words.filter(
    (word) => model.vocabulary.idOf(word) === model.vocabulary.unknownId && word !== settings.unknown,
  );
  if (unknown.length > 0) process.stderr.write(`not in the vocabulary: ${unknown.join(', ')}\n`);
  const paddingWord = settings.endOfLine;
  const [next = []] = await owned.predictNextWords([words], {
    k: options.top,
    paddingWord,
    ...(options.threshold === undefined ? {} : { minScore: options.threshold }),
  });
  const continued = [...words];
  const draws = isDrawn(options);
  const random = new RandomGenerator(options.seed ?? Math.floor(Math.random() * 2 ** 32));
  // The text is not continued with the word for unknown words, so one word more is asked for.
  const k = draws ? (options.topK ?? 50) + 1 : 2;
  const choose = (best: readonly NextWord[]): string => {
    const known = best.filter(({ word }) => word !== settings.unknown).slice(0, k - 1);
    const chosen = draws && known.length > 0 ? drawNextWord(known, random, options) : known[0];
    return chosen?.word ?? settings.unknown;
  };
  if (options.continue > 0) {
    for await (const word of owned.continueWords(words, { k, paddingWord, endWord: settings.endOfLine, choose })) {
      continued.push(word);
      if (continued.length === words.length + options.continue) break;
    }
  }
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ prompt: words, next, ...(options.continue > 0 ? { continued } : {}) })}\n`,
    );
    return;
  }
  process.stdout.write(`${table([['word', 'score'], ...next.map(({ word, score }) => [word, score.toFixed(3)])])}\n`);
  if (options.continue > 0) process.stdout.write(`\n${text.join(continued)}\n`);
}
