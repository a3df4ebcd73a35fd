import { Option, type Command } from 'commander';
import { activationNames, createLanguageModel, scheduleNames, Trainer, updateRuleNames } from '@vastmax/lm-models';
import { openCheckpoint } from '@vastmax/lm-models/node';
import { NgramBatches } from '@vastmax/sparse-data';
import { backendHelp, backendNames, createBackend } from '../backend-choice.ts';
import { buildVocabulary, encodeFile, fingerprint } from '../corpus.ts';
import { count, shellWord } from '../display.ts';
import { describeEvaluation, evaluateText } from '../evaluate-text.ts';
import { Interruption } from '../interruption.ts';
import { nonNegative, positive, share, shareBelowOne, wholeNumber, wholeNumbers } from '../option-values.ts';
import { addOutputLayerOptions } from '../output-layer-options.ts';
import { checkOutputFolder } from '../output-folder.ts';
import { changedTraining, checkUnchanged, readResumedRun, type GivenOption, type ResumedRun } from '../resumed-run.ts';
import { describeOutcome, printPlan, runTraining } from '../run-training.ts';
import { tokenizerNames } from '../text-settings.ts';
import { modelOptionsOf, textSettingsOf, trainingOptionsOf, type TrainOptions } from '../training-options.ts';
import { UsageError } from '../usage-error.ts';

export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .description('train a word-level n-gram language model on a text file')
    .argument('<text>', 'training text: one sentence or paragraph a line, UTF-8, plain or .gz or .br')
    .option('--valid <file>', 'held-out text, evaluated at the end')
    .requiredOption('-o, --out <folder>', 'where the model and its checkpoints go')
    .option('--overwrite', 'replace the model that --out holds, at the first checkpoint of the new one')
    .option('--resume', 'go on from the checkpoint in --out, with its settings; rates, schedule and length may be given anew')
    .optionsGroup('Text:')
    .addOption(new Option('--tokenizer <name>', 'how a line becomes words').choices(tokenizerNames).default('whitespace'))
    .option('--lower-case', 'fold to lower case')
    .option('--min-count <n>', 'words seen less often become <unk>', wholeNumber('--min-count', 1), 1)
    .option('--max-vocabulary <n>', 'keep the n most frequent words, <eos> and <unk> among them', wholeNumber('--max-vocabulary', 4))
    .optionsGroup('Model:')
    .option('--order <n>', 'how many previous words the model sees', wholeNumber('--order', 1), 5)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber('--embedding', 1), 100)
    .addOption(new Option('--hidden <n,...>', 'widths of the hidden layers').argParser(wholeNumbers('--hidden', 1)).default([128], '128'))
    .addOption(new Option('--activation <name>', 'of the hidden layers').choices(activationNames).default('tanh'))
    .option('--dropout <p>', 'probability of dropping a hidden activation', shareBelowOne('--dropout'), 0);
  addOutputLayerOptions(command)
    .optionsGroup('Training:')
    .option('--output-rate <r>', 'learning rate of the output layer (default depends on layer and loss)', nonNegative('--output-rate'))
    .option('--body-rate <r>', 'learning rate of embeddings and hidden layers (default depends on layer and loss)', nonNegative('--body-rate'))
    .addOption(new Option('--optimizer <name>', 'of the body').choices(updateRuleNames).default('sgd'))
    .addOption(new Option('--schedule <name>', 'how the rates change').choices(scheduleNames).default('linear'))
    .option('--final-factor <f>', 'what the rates have fallen to at the end', share('--final-factor'), 0.05)
    .option('--batch <n>', 'examples in a minibatch', wholeNumber('--batch', 1), 256)
    .option('--epochs <n>', 'passes over the text', wholeNumber('--epochs', 1), 1)
    .option('--examples <n>', 'stop after so many examples instead', wholeNumber('--examples', 1))
    .option('--max-minutes <n>', 'end after so many minutes; the schedule then runs by time', positive('--max-minutes'))
    .option('--seed <n>', 'of the start and of the order of examples', wholeNumber('--seed', 0), 1)
    .option('--checkpoint-every <seconds>', 'of training', wholeNumber('--checkpoint-every', 1), 120)
    .option('--evaluate <n>', 'rank so many held-out words at the end; 0 for all', wholeNumber('--evaluate', 0), 20_000)
    .optionsGroup('Machine:')
    .addOption(new Option('--backend <name>', backendHelp).choices(backendNames).default('auto'))
    .addOption(new Option('--precision <p>', 'of stored numbers').choices(['f32', 'f64']).default('f32'))
    .addHelpText('after', `
Examples:
  $ vastmax train speeches.txt -o models/speeches --tokenizer words --lower-case
  $ vastmax train wiki.train.tokens.br -o models/wiki --loss spherical-softmax \\
      --valid wiki.valid.tokens.br
  $ vastmax train wiki.train.tokens.br -o models/sampled \\
      --output-layer sampled --samples 500 --proposal unigram
  $ vastmax train wiki.train.tokens.br -o models/wiki --resume

With the factored layer the cost of a step does not depend on the size of the
vocabulary. A loss of spherical-softmax or taylor-softmax gives probabilities
and a perplexity; z-loss ranks better and gives none. The other layers are the
usual ones, to compare with: --output-layer sampled is the strongest of them.
A US patent, 12,205,005, covers the method of --output-layer rf.

Ctrl-C saves a checkpoint, and --resume goes on from it bit for bit as if
nothing had happened (with --max-minutes it goes on, but time is not repeated).
A folder that holds a model is refused without --resume or --overwrite.`)
    .action(train);
}

async function train(textFile: string, options: TrainOptions, command: Command): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const given = optionsGiven(command);
  const resumed = await prepareFolder(options, given);
  const modelOptions = resumed?.model ?? modelOptionsOf(options);
  const text = resumed?.text ?? textSettingsOf(options);
  const vocabulary =
    resumed?.vocabulary ??
    (await buildVocabulary(
      textFile,
      text,
      { minimumCount: options.minCount, ...(options.maxVocabulary === undefined ? {} : { maximumSize: options.maxVocabulary }) },
      signal,
    ));
  const tokens = await encodeFile(textFile, vocabulary, text, signal);
  const tokensHash = fingerprint(tokens);
  if (resumed !== undefined && resumed.tokens !== undefined && resumed.tokens !== tokensHash) {
    throw new UsageError(
      `${textFile} is not the text that ${options.out} was trained on: its ${count(tokens.length)} tokens have the SHA-256 ${tokensHash}, those of the run ${JSON.stringify(resumed.tokens)}; resume with the same text`,
    );
  }
  const held = options.valid === undefined ? undefined : await encodeFile(options.valid, vocabulary, text, signal);

  const precision = resumed?.precision ?? options.precision;
  const batchSize = resumed?.batchSize ?? options.batch;
  using model = await createLanguageModel(await createBackend(options.backend, precision), vocabulary, modelOptions);
  const batches = new NgramBatches({
    tokens,
    classes: vocabulary.size,
    order: modelOptions.body.order,
    batchSize,
    paddingId: vocabulary.idOf(text.endOfLine) ?? 0,
    seed: options.seed,
  });
  const { examplesPerEpoch } = batches;
  const training = resumed === undefined ? trainingOptionsOf(options, examplesPerEpoch) : changedTraining(resumed, options, given, examplesPerEpoch);
  using trainer = new Trainer(model, batches, training);
  if (resumed !== undefined) {
    await using checkpoint = await openCheckpoint(options.out);
    await trainer.restore(checkpoint);
  }
  await printPlan(trainer);
  if (trainer.examples >= training.examples) {
    process.stdout.write(`trained      all ${count(training.examples)} examples of the run already; go on with --epochs or --examples\n`);
  } else {
    const outcome = await runTraining({
      trainer,
      directory: options.out,
      checkpointEvery: options.checkpointEvery,
      extra: { command: 'train', options: resumed?.options ?? { ...options }, tokens: tokensHash, text: { ...text }, precision, batchSize },
      signal,
    });
    process.stdout.write(`${describeOutcome(outcome)}saved        ${options.out}\n`);
    if (outcome.interrupted) {
      process.stdout.write(`interrupted at step ${trainer.step}; go on with: vastmax ${resumeCommand(textFile, options)}\n`);
      process.exitCode = 130;
      return;
    }
  }
  if (held === undefined) return;
  const evaluation = await evaluateText(model, held, text, options.evaluate, signal);
  process.stdout.write(`\n${describeEvaluation('held-out text', evaluation)}`);
}

/** The run to go on with; undefined for a new one, which its folder is then free for. */
async function prepareFolder(options: TrainOptions, given: readonly GivenOption[]): Promise<ResumedRun | undefined> {
  if (options.resume !== true) {
    await checkOutputFolder(options.out, { overwrite: options.overwrite === true, otherwise: 'go on from it with --resume, or give another folder' });
    return undefined;
  }
  if (options.overwrite === true) throw new UsageError('--resume goes on from the model that --overwrite would replace; give one of them');
  const resumed = await readResumedRun(options.out);
  checkUnchanged(resumed, options, given);
  return resumed;
}

/** Those that were on the command line. */
function optionsGiven(command: Command): GivenOption[] {
  return command.options
    .map((option) => ({ name: option.attributeName() as keyof TrainOptions, flag: option.long ?? option.flags }))
    .filter(({ name }) => command.getOptionValueSource(name) === 'cli');
}

function resumeCommand(textFile: string, { out, valid }: TrainOptions): string {
  const words = ['train', textFile, '-o', out, ...(valid === undefined ? [] : ['--valid', valid]), '--resume'];
  return words.map(shellWord).join(' ');
}
