import type { Command } from 'commander';
import { addClasses, checkSavedShapes, isModelError, type NetworkOptions } from '@vastmax/lm-models';
import { isStateError, type ModuleState } from '@vastmax/linalg-core/state';
import { classifierContent, type Classifier, type LabelNetwork } from '@vastmax/lm-models/labels';
import { openCheckpoint, writeCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { lockOutputFolder } from '../run/run-folder.ts';
import { UsageError } from '../terminal/errors.ts';
import { count } from '../terminal/terminal.ts';
import { loadAnyModel, ownerOf } from '../text/open-model.ts';

export function addAddClassesCommand(program: Command): void {
  addBackendOptions(
    program
      .command('add-classes')
      .description('add labels to a trained classifier of texts or vectors, to be trained on')
      .argument('<model>', 'folder of a trained classifier, which is changed')
      .argument('<names...>', 'the new labels'),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax add-classes models/own cats "small dogs"
  $ vastmax train --features old-and-new.npy --labels old-and-new.txt -o models/own --resume

The other labels keep their weights. --resume then trains on the files that it
is given alone, for as many epochs as before: give examples of old labels too,
or the model forgets them.
Layers that can grow: factored, hybrid, full, sampled, nce, negative.`,
    )
    .action(addToModel);
}

async function addToModel(directory: string, names: readonly string[], options: BackendOptions): Promise<void> {
  const storage = createFileStorage(directory);
  await using checkpoint = await openCheckpoint(storage);
  if (checkpoint.configuration['quantization'] !== undefined)
    throw new UsageError(
      `${directory} holds a quantized model, which does not change; add to the one that it was made of`,
    );
  if (checkpoint.configuration['ridge'] !== undefined)
    throw new UsageError(
      `${directory} holds a ridge head, which was fitted in one pass and is not trained on; fit a new one to the examples of all labels`,
    );
  await using lock = await lockOutputFolder(directory);
  void lock;
  const opened = await loadAnyModel(options, checkpoint);
  if (!('dense' in opened) && !('classifier' in opened)) {
    ownerOf(opened)[Symbol.dispose]();
    throw new UsageError(
      `${directory} holds a ${'model' in opened ? 'model over words' : 'recommender'}, whose classes are those of its data`,
    );
  }
  using classifier: Classifier<LabelNetwork> = 'dense' in opened ? opened.dense : opened.classifier;
  if (!('dense' in opened) && classifier.texts === undefined)
    throw new UsageError(
      `${directory} holds a classifier of points, whose labels are numbers; train one on the new file`,
    );
  checkNames(names, classifier);
  await addClasses(classifier.network, names.length);
  const { configuration, texts } = classifierContent({
    labels: [...Array.from(classifier.labels), ...names],
    examples: classifier.examples,
    texts: classifier.texts,
  });
  const modules = classifier.network.modules();
  checkLoads(directory, classifier.network, modules);
  await writeCheckpoint(storage, {
    configuration: { ...runFromBeginning(checkpoint), ...configuration },
    modules: {
      ...modules,
      ...(checkpoint.moduleNames.includes('optimizer') ? { optimizer: checkpoint.module('optimizer') } : {}),
    },
    texts: { ...Object.fromEntries(checkpoint.textNames.map((name) => [name, checkpoint.text(name)])), ...texts },
  });
  process.stdout.write(
    `added        ${count(names.length)} labels, ${count(classifier.network.output.classes)} now\nsaved        ${directory}\n`,
  );
}

/** @throws UsageError for a layer whose parts would be others with so many classes. */
function checkLoads(
  directory: string,
  { sizes, options }: LabelNetwork,
  modules: Readonly<Record<string, ModuleState>>,
): void {
  const module = (name: string): ModuleState => modules[name] ?? { configuration: {}, tensors: [] };
  try {
    checkSavedShapes({ module }, sizes, options as NetworkOptions);
  } catch (error) {
    if (!isModelError(error) && !isStateError(error)) throw error;
    throw new UsageError(
      `${directory}: the ${options.output.kind} layer divides its classes by their number, and would do so otherwise with ${count(sizes.frequencies.length)}; train a new model, or one of another layer`,
      { cause: error },
    );
  }
}

/** @throws UsageError for a label that there is, that is given twice, or that is empty. */
function checkNames(names: readonly string[], { classes }: Pick<Classifier, 'classes'>): void {
  if (names.some((name) => name.trim() === ''))
    throw new UsageError('a label is empty, and a blank line of labels means an example without one; give it a name');
  const twice = names.find((name, at) => classes.has(name) || names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new UsageError(
      classes.has(twice) ? `there is a label '${twice}' already` : `the label '${twice}' is given twice`,
    );
}

/** The data that training goes on with is other data: the run begins anew, with the weights that there are. */
function runFromBeginning({ configuration }: Checkpoint): Checkpoint['configuration'] {
  const { cursor, pointsHash, ...others } = configuration;
  void [cursor, pointsHash];
  return { ...others, step: 0, examples: 0 };
}
