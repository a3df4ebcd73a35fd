import { Option, type Command } from 'commander';
import {
  activationNames,
  createLanguageModel,
  evaluateRanking,
  modelOptionsFrom,
  outputLayerNames,
  scheduleNames,
  Trainer,
  trainingDefaults,
  unigramBaseline,
  updateRuleNames,
  type LanguageModelOptions,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { openCheckpoint } from '@vastmax/lm-models/node';
import type { JsonObject } from '@vastmax/output-layer';
import { NgramBatches, type Vocabulary } from '@vastmax/sparse-data';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { backendNames, createBackend } from '../backend-choice.ts';
import { buildVocabulary, encodeFile } from '../corpus.ts';
import { count, duration, metricsTable } from '../display.ts';
import { collectTargets, evaluationBatches } from '../evaluation-batches.ts';
import { Interruption } from '../interruption.ts';
import { Progress } from '../progress.ts';
import { printPlan, runTraining } from '../run-training.ts';
import { readVocabulary } from '../saved-model.ts';
import { textSettingsFrom, tokenizerNames, type TextSettings } from '../text-settings.ts';
import { nonNegative, UsageError, wholeNumber, wholeNumbers } from '../usage-error.ts';

interface TrainOptions {
  readonly valid?: string;
  readonly out: string;
  readonly resume: boolean;
  readonly backend: string;
  readonly precision: string;
  readonly tokenizer: TextSettings['tokenizer'];
  readonly lowerCase: boolean;
  readonly minCount: number;
  readonly maxVocabulary?: number;
  readonly order: number;
  readonly embedding: number;
  readonly hidden: readonly number[];
  readonly activation: (typeof activationNames)[number];
  readonly dropout: number;
  readonly outputLayer: (typeof outputLayerNames)[number];
  readonly loss: string;
  readonly zA?: number;
  readonly zB?: number;
  readonly epsilon?: number;
  readonly targetValue?: number;
  readonly initialScale?: number;
  readonly weightDecay?: number;
  readonly outputRate?: number;
  readonly bodyRate?: number;
  readonly optimizer: string;
  readonly schedule: string;
  readonly finalFactor: number;
  readonly batch: number;
  readonly epochs: number;
  readonly examples?: number;
  readonly maxMinutes?: number;
  readonly seed: number;
  readonly checkpointEvery: number;
  readonly evaluate: number;
}

export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train a word-level n-gram language model on a text file')
    .argument('[text]', 'training text: one sentence or paragraph a line, UTF-8, plain or .gz or .br')
    .option('--valid <file>', 'held-out text, evaluated at the end')
    .requiredOption('-o, --out <folder>', 'where the model and its checkpoints go')
    .option('--resume', 'go on from the checkpoint in --out; model, rates and length are the checkpoint\'s', false)
    .optionsGroup('Text:')
    .addOption(new Option('--tokenizer <name>', 'how a line becomes words').choices(tokenizerNames).default('whitespace'))
    .option('--lower-case', 'fold to lower case', false)
    .option('--min-count <n>', 'words seen less often become <unk>', wholeNumber('--min-count', 1), 1)
    .option('--max-vocabulary <n>', 'keep the n most frequent words', wholeNumber('--max-vocabulary', 2))
    .optionsGroup('Model:')
    .option('--order <n>', 'how many previous words the model sees', wholeNumber('--order', 1), 5)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber('--embedding', 1), 100)
    .option('--hidden <n,...>', 'widths of the hidden layers', wholeNumbers('--hidden', 1), [128])
    .addOption(new Option('--activation <name>', 'of the hidden layers').choices(activationNames).default('tanh'))
    .option('--dropout <p>', 'probability of dropping a hidden activation', nonNegative('--dropout'), 0)
    .addOption(new Option('--output-layer <name>', 'the layer over the vocabulary').choices(outputLayerNames).default('factored'))
    .addOption(new Option('--loss <name>', 'what the output layer minimises').choices(builtInLossNames).default('z-loss'))
    .option('--z-a <a>', 'z-loss: sharpness; smaller favours top-1 and MRR (default 0.1)', nonNegative('--z-a'))
    .option('--z-b <b>', 'z-loss: margin in standard deviations (default 10)', nonNegative('--z-b'))
    .option('--epsilon <e>', 'spherical-softmax: added to each squared output (default 1)', nonNegative('--epsilon'))
    .option('--target-value <v>', 'squared-error: what a target\'s output should be (default 10)', nonNegative('--target-value'))
    .option('--initial-scale <s>', 'standard deviation of the output weights\' start (default depends on the loss)', nonNegative('--initial-scale'))
    .option('--weight-decay <l>', 'on the output weights, exact and free', nonNegative('--weight-decay'))
    .optionsGroup('Training:')
    .option('--output-rate <r>', 'learning rate of the output layer (default depends on the loss)', nonNegative('--output-rate'))
    .option('--body-rate <r>', 'learning rate of embeddings and hidden layers (default depends on the loss)', nonNegative('--body-rate'))
    .addOption(new Option('--optimizer <name>', 'of the body').choices(updateRuleNames).default('sgd'))
    .addOption(new Option('--schedule <name>', 'how the rates change').choices(scheduleNames).default('linear'))
    .option('--final-factor <f>', 'what the rates have fallen to at the end', nonNegative('--final-factor'), 0.05)
    .option('--batch <n>', 'examples in a minibatch', wholeNumber('--batch', 1), 256)
    .option('--epochs <n>', 'passes over the text', wholeNumber('--epochs', 1), 1)
    .option('--examples <n>', 'stop after so many examples instead', wholeNumber('--examples', 1))
    .option('--max-minutes <n>', 'end after so many minutes; the schedule then runs by time', nonNegative('--max-minutes'))
    .option('--seed <n>', 'of the start and of the order of examples', wholeNumber('--seed', 0), 1)
    .option('--checkpoint-every <seconds>', 'of training', wholeNumber('--checkpoint-every', 1), 120)
    .option('--evaluate <n>', 'rank so many held-out words at the end; 0 for all', wholeNumber('--evaluate', 0), 20_000)
    .optionsGroup('Machine:')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendNames).default('auto'))
    .addOption(new Option('--precision <p>', 'of stored numbers').choices(['f32', 'f64']).default('f32'))
    .addHelpText('after', `
Examples:
  $ vastmax train speeches.txt -o models/speeches --tokenizer words --lower-case --min-count 2
  $ vastmax train wiki.train.tokens.br --valid wiki.valid.tokens.br -o models/wiki --loss spherical-softmax
  $ vastmax train --resume -o models/wiki wiki.train.tokens.br --valid wiki.valid.tokens.br

The cost of a step does not depend on the size of the vocabulary. Ctrl-C saves a checkpoint that --resume continues bit for bit.
A loss of spherical-softmax or taylor-softmax gives probabilities and a perplexity; z-loss ranks better and gives none.`)
    .action(train);
}

async function train(textFile: string | undefined, options: TrainOptions): Promise<void> {
  if (textFile === undefined) throw new UsageError('train needs a text file: vastmax train TEXT -o FOLDER');
  using interruption = new Interruption();
  const { signal } = interruption;
  const resumed = options.resume ? await readSaved(options.out) : undefined;
  const text: TextSettings =
    resumed?.text ?? { tokenizer: options.tokenizer, lowerCase: options.lowerCase, endOfLine: '<eos>', unknown: '<unk>' };
  const vocabulary =
    resumed?.vocabulary ??
    (await buildVocabulary(
      textFile,
      text,
      { minimumCount: options.minCount, ...(options.maxVocabulary === undefined ? {} : { maximumSize: options.maxVocabulary }) },
      signal,
    ));
  const tokens = await encodeFile(textFile, vocabulary, text, signal);
  const held = options.valid === undefined ? undefined : await encodeFile(options.valid, vocabulary, text, signal);

  const modelOptions = resumed?.model ?? modelOptionsOf(options);
  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  const backend = createBackend(options.backend, precision);
  using model = await createLanguageModel(backend, vocabulary, modelOptions);
  const batches = new NgramBatches({
    tokens,
    classes: vocabulary.size,
    order: modelOptions.body.order,
    batchSize,
    paddingId: vocabulary.idOf(text.endOfLine) ?? 0,
    seed: options.seed,
  });
  using trainer = new Trainer(model, batches, resumed?.training ?? trainingOptionsOf(options, batches.examplesPerEpoch));
  if (resumed !== undefined) {
    await using checkpoint = await openCheckpoint(options.out);
    await trainer.restore(checkpoint);
  }
  await printPlan(trainer);
  const outcome = await runTraining({
    trainer,
    directory: options.out,
    checkpointEvery: options.checkpointEvery,
    extra: { text: { ...text }, precision, batchSize },
    signal,
  });
  const rate = outcome.examples / Math.max(1e-9, outcome.seconds);
  process.stdout.write(`trained      ${count(outcome.examples)} examples in ${duration(outcome.seconds)}, ${count(rate)} examples/s\n`);
  process.stdout.write(`saved        ${options.out}\n`);
  if (outcome.interrupted) {
    process.stdout.write(`interrupted at step ${trainer.step}; go on with: vastmax train ${textFile} --resume -o ${options.out}\n`);
    process.exitCode = 130;
    return;
  }
  if (held === undefined) return;
  using progress = new Progress('evaluating');
  const limit = options.evaluate === 0 ? Infinity : options.evaluate;
  const metrics = await evaluateRanking(model, evaluationBatches(model, held, text), {
    limit,
    signal,
    onProgress: (done, total) => { progress.update(done / total, `${count(done)} words`); },
  });
  const baseline = unigramBaseline(vocabulary, collectTargets(evaluationBatches(model, held, text), limit));
  progress[Symbol.dispose]();
  process.stdout.write(`\nheld-out text, ${count(metrics.examples)} words:\n${metricsTable([['model', metrics], ['unigram', baseline]])}\n`);
}

interface SavedRun {
  readonly model: LanguageModelOptions;
  readonly training: TrainingOptions;
  readonly text: TextSettings;
  readonly vocabulary: Vocabulary;
  readonly precision: string;
  readonly batchSize: number;
}

async function readSaved(directory: string): Promise<SavedRun> {
  await using checkpoint = await openCheckpoint(directory);
  const { configuration } = checkpoint;
  const { training, precision, batchSize } = configuration;
  if (typeof training !== 'object' || training === null || typeof precision !== 'string' || typeof batchSize !== 'number') {
    throw new UsageError(`${directory}: the checkpoint does not describe a training run; was it written by vastmax train?`);
  }
  return {
    model: modelOptionsFrom(configuration),
    training: training as JsonObject as unknown as TrainingOptions,
    text: textSettingsFrom(configuration),
    vocabulary: await readVocabulary(checkpoint),
    precision,
    batchSize,
  };
}

function modelOptionsOf(options: TrainOptions): LanguageModelOptions {
  const defaults = trainingDefaults(options.loss);
  const given: Readonly<Record<string, number | undefined>> = {
    a: options.zA,
    b: options.zB,
    epsilon: options.epsilon,
    targetValue: options.targetValue,
  };
  const lossOptions = Object.fromEntries(
    Object.entries(defaults.lossOptions).map(([name, value]) => [name, given[name] ?? value]),
  );
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !(name in defaults.lossOptions)) {
      throw new UsageError(`the loss '${options.loss}' has no option '${name}'; it has ${Object.keys(defaults.lossOptions).join(', ') || 'none'}`);
    }
  }
  return {
    body: {
      order: options.order,
      embedding: options.embedding,
      hidden: options.hidden,
      activation: options.activation,
      dropout: options.dropout,
      seed: options.seed,
    },
    output: {
      kind: options.outputLayer,
      loss: { name: options.loss, options: lossOptions },
      initialScale: options.initialScale ?? defaults.initialScale,
      seed: options.seed,
      ...(options.weightDecay === undefined ? {} : { weightDecay: options.weightDecay }),
    },
  };
}

function trainingOptionsOf(options: TrainOptions, examplesPerEpoch: number): TrainingOptions {
  const defaults = trainingDefaults(options.loss);
  return {
    bodyRate: options.bodyRate ?? defaults.bodyRate,
    outputRate: options.outputRate ?? defaults.outputRate,
    optimizer: options.optimizer,
    schedule: options.schedule,
    scheduleOptions: { finalFactor: options.finalFactor },
    examples: options.examples ?? options.epochs * examplesPerEpoch,
    ...(options.maxMinutes === undefined ? {} : { maximumSeconds: 60 * options.maxMinutes }),
  };
}
