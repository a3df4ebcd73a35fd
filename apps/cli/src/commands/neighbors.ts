import { Option, type Command } from 'commander';
import { computeNeighbors, type Neighbor } from '@vastmax/lm-models';
import { nearestLabels, nearestWords, type Classifier, type DenseClassifier } from '@vastmax/lm-models/labels';
import type { Recommender } from '@vastmax/lm-models/recommenders';
import { inLetterCase } from '@vastmax/lm-models/text';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { wholeNumber } from '../options/option-values.ts';
import { UsageError } from '../terminal/errors.ts';
import { openAnyModel, type OpenedModel } from '../text/open-model.ts';

interface NeighborsOptions extends BackendOptions {
  readonly top: number;
  readonly vectors?: 'output' | 'input';
  readonly json?: true;
}

export function addNeighborsCommand(program: Command): void {
  const command = program
    .command('neighbors')
    .description('the words, labels or items whose vectors are nearest to those of given ones')
    .argument('<model>', 'folder of a trained model')
    .argument('<words...>', 'words of the vocabulary, labels of a classifier, or items of a recommender')
    .option('-k, --top <n>', 'how many neighbours of each', wholeNumber('--top', 1), 8)
    .addOption(
      new Option(
        '--vectors <kind>',
        "the output layer's vectors of the words, or the embeddings of the input; of a classifier the labels are output, the words input (default: output; classifier of texts: input)",
      ).choices(['output', 'input']),
    )
    .option('--json', 'print one JSON object');
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Example:
  $ vastmax neighbors models/state-of-the-union war peace congress
  $ vastmax neighbors models/topics baking --vectors output
  $ vastmax neighbors models/films "Alien"

Nearness is the cosine of the angle between two vectors.`,
    )
    .action(neighbors);
}

async function neighbors(directory: string, words: readonly string[], options: NeighborsOptions): Promise<void> {
  const opened = await openAnyModel(options, directory);
  const { probes, lists } =
    'recommender' in opened
      ? await neighborsOfItems(opened.recommender, directory, words, options)
      : 'dense' in opened
        ? await neighborsOfLabels(opened.dense, directory, words, options)
        : 'classifier' in opened
          ? await neighborsOfClassifier(opened.classifier, directory, words, options)
          : await neighborsOfWords(opened, directory, words, options);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(Object.fromEntries(probes.map((word, index) => [word, lists[index]])))}\n`);
    return;
  }
  for (const [index, word] of probes.entries()) {
    const list = lists[index] ?? [];
    process.stdout.write(
      `${word}: ${list.map((neighbor) => `${neighbor.word} ${neighbor.similarity.toFixed(2)}`).join(', ')}\n`,
    );
  }
}

interface NeighborLists {
  readonly probes: readonly string[];
  /** Of each probe. */
  readonly lists: readonly (readonly Neighbor[])[];
}

async function neighborsOfWords(
  { model, text }: OpenedModel,
  directory: string,
  words: readonly string[],
  { top, vectors = 'output' }: NeighborsOptions,
): Promise<NeighborLists> {
  using owned = model;
  const probes = words.map((word) => inLetterCase(text.settings, word));
  const unknown = probes.filter((word) => !owned.vocabulary.has(word));
  if (unknown.length > 0) throw new UsageError(`not in the vocabulary of ${directory}: ${unknown.join(', ')}`);
  return { probes, lists: await computeNeighbors(owned.network, owned.vocabulary, probes, { k: top, kind: vectors }) };
}

async function neighborsOfItems(
  recommender: Recommender,
  directory: string,
  names: readonly string[],
  { top, vectors = 'output' }: NeighborsOptions,
): Promise<NeighborLists> {
  using owned = recommender;
  const { items, network } = owned;
  const unknown = names.filter((name) => !items.has(name));
  if (unknown.length > 0) throw new UsageError(`no items of ${directory}: ${unknown.join(', ')}`);
  return { probes: names, lists: await computeNeighbors(network, items, names, { k: top, kind: vectors }) };
}

async function neighborsOfLabels(
  classifier: DenseClassifier,
  directory: string,
  words: readonly string[],
  { top, vectors = 'output' }: NeighborsOptions,
): Promise<NeighborLists> {
  using owned = classifier;
  if (vectors !== 'output')
    throw new UsageError(
      `${directory} holds a classifier of vectors, which has no words; --vectors output finds the labels near to labels`,
    );
  return { probes: words, lists: await nearestLabels(owned, words, top) };
}

async function neighborsOfClassifier(
  classifier: Classifier,
  directory: string,
  words: readonly string[],
  { top, vectors }: NeighborsOptions,
): Promise<NeighborLists> {
  using owned = classifier;
  const { texts } = owned;
  if (texts !== undefined && vectors !== 'output') {
    const probes = words.map((word) => inLetterCase(texts.reading.settings, word));
    return { probes, lists: await nearestWords({ network: owned.network, texts }, probes, top) };
  }
  if (texts === undefined && vectors !== 'output')
    throw new UsageError(
      `${directory} holds a classifier of points, which has no words; --vectors output finds the labels near to labels`,
    );
  return { probes: words, lists: await nearestLabels(owned, words, top) };
}
