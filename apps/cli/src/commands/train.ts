import { Option, type Command } from 'commander';
import { activationNames, feedForwardNames, scheduleNames, updateRuleNames } from '@vastmax/lm-models';
import { recommenderNames } from '@vastmax/lm-models/recommenders';
import { textModelNames } from '@vastmax/lm-models/text';
import { addBackendOptions } from '../options/backend-choice.ts';
import { applyConfig, describeConfig, describeConfigSchema } from '../options/config-file.ts';
import { dependentDefaults } from '../options/dependent-defaults.ts';
import { nonNegative, positive, share, shareBelowOne, wholeNumber, wholeNumbers } from '../options/option-values.ts';
import { checkNoFeatureOptions } from '../options/dense-options.ts';
import { addFeatureOptions } from '../options/feature-options.ts';
import { addInteractionOptions } from '../options/interaction-options.ts';
import { addOutputLayerOptions } from '../options/output-layer-options.ts';
import { addTextLabelOptions } from '../options/text-label-options.ts';
import { addTextOptions } from '../options/text-options.ts';
import {
  defaultEvaluated,
  withDefaultSizes,
  type GivenOption,
  type GivenTrainOptions,
  type TrainOptions,
} from '../options/training-options.ts';
import { trainDense } from '../dense/train-dense.ts';
import { trainModel } from '../run/train-text.ts';

export function addTrainCommand(program: Command): void {
  const command = program
    .command('train')
    .description(
      'train a language model or word vectors on a text, a classifier on labelled texts, points or vectors, or a recommender on interactions of users with items',
    )
    .argument(
      '[text]',
      'training text, one sentence or paragraph a line: UTF-8, plain or compressed (gzip, .br); Parquet; - is standard input',
    )
    .option('--valid <file>', 'held-out text, labelled data or interactions, evaluated at the end')
    .option('-o, --out <folder>', 'where the model and its checkpoints go')
    .option('--overwrite', 'replace the model that --out holds, at the first checkpoint of the new one')
    .option(
      '--resume',
      'continue from the checkpoint in --out, with its settings; rates, schedule and length may be changed',
    )
    .option('--dry-run', 'print the plan with its memory and time, and exit')
    .optionsGroup('Text:');
  addTextOptions(command)
    .option('--min-count <n>', 'words seen less often become <unk>', wholeNumber('--min-count', 1), 1)
    .option(
      '--max-vocabulary <n>',
      'keep the n most frequent words, <eos> and <unk> among them',
      wholeNumber('--max-vocabulary', 4),
    )
    .optionsGroup('Labels of texts (--model classifier):');
  addTextLabelOptions(command).optionsGroup('Vectors that another encoder has made:');
  addFeatureOptions(command).optionsGroup(`Interactions (--model ${recommenderNames.join(', ')}):`);
  addInteractionOptions(command)
    .optionsGroup('Model:')
    .addOption(
      new Option(
        '--model <name>',
        'ngram, or bag for the sum of the same words; lstm or gru; transformer; word vectors by cbow or skip-gram; classifier for labelled texts or points; recommenders: autoencoder, factorization of sets of items; next-item, session, sasrec of sequences',
      )
        .choices([...textModelNames, 'classifier', ...recommenderNames])
        .default('ngram'),
    )
    .option('--order <n>', 'ngram, bag: how many previous words the model sees (default: 5)', wholeNumber('--order', 1))
    .option(
      '--steps <n>',
      'lstm, gru, session: words or items per truncated back-propagation (default: 16); transformer: words that it sees at once (default: 64)',
      wholeNumber('--steps', 1, 4096),
    )
    .option(
      '--layers <n>',
      'transformer, sasrec: of attention and feed-forward (default: 2)',
      wholeNumber('--layers', 1, 1024),
    )
    .option(
      '--heads <n>',
      'transformer, sasrec: heads of attention, whose double divides the embedding (default: at most 8, of 32 numbers at least)',
      wholeNumber('--heads', 1),
    )
    .option(
      '--window <n>',
      'cbow, skip-gram: words on either side; next-item: how many last items the model sees (default: 5)',
      wholeNumber('--window', 1, 4096),
    )
    .option(
      '--embedding <n>',
      "width of a word's or an item's embedding; of the first layer of a classifier or an autoencoder (default: 100; autoencoder, factorization 512; transformer, next-item, session, sasrec 128)",
      wholeNumber('--embedding', 1),
    )
    .option('--initial-vectors <file>', 'embeddings start from a word2vec file, text or binary, of the same width')
    .option(
      '--hidden <n,...>',
      'widths of the hidden layers (default: 128; transformer, sasrec: 4 times the embedding; bag, cbow, skip-gram, classifier, autoencoder, next-item: none)',
      wholeNumbers('--hidden', 1),
    )
    .addOption(
      new Option(
        '--activation <name>',
        'of the hidden layers, not of lstm, gru and session (default: tanh; transformer, sasrec: gelu; classifier: relu of points, identity of texts)',
      ).choices([...new Set([...activationNames, ...feedForwardNames]), 'identity']),
    )
    .option(
      '--dropout <p>',
      'probability of dropping a hidden activation (default: 0; classifier of points, sasrec: 0.2)',
      shareBelowOne('--dropout'),
    );
  addOutputLayerOptions(command)
    .optionsGroup('Training:')
    .option(
      '--output-rate <r>',
      'learning rate of the output layer (default depends on layer and loss)',
      nonNegative('--output-rate'),
    )
    .option(
      '--body-rate <r>',
      'learning rate of embeddings and hidden layers (default depends on layer, loss and optimizer)',
      nonNegative('--body-rate'),
    )
    .addOption(
      new Option(
        '--rates <how>',
        'rates that are not given: auto tries some on the first minibatches, default takes the defaults',
      )
        .choices(['auto', 'default'])
        .default('auto'),
    )
    .addOption(
      new Option('--optimizer <name>', 'of the body (default: sgd for ngram, adam for the other models)').choices(
        updateRuleNames,
      ),
    )
    .option(
      '--clip-norm <n>',
      "clip the norm of the body's gradient to this value (default: 5 for lstm and gru, 1 for transformer and sasrec)",
      positive('--clip-norm'),
    )
    .addOption(
      new Option('--schedule <name>', 'schedule of the learning rates').choices(scheduleNames).default('linear'),
    )
    .option(
      '--final-factor <f>',
      'factor of the learning rates at the end of the schedule',
      share('--final-factor'),
      0.05,
    )
    .option(
      '--warmup <f>',
      'share of the training in which the rates rise from 0 (default: 0; transformer, sasrec: 0.05)',
      shareBelowOne('--warmup'),
    )
    .option(
      '--batch <n>',
      'examples in a minibatch: words (of lstm, gru and transformer the nearest multiple of --steps), points, users of an autoencoder, or items (default: 256; transformer, sasrec: 1024)',
      wholeNumber('--batch', 1),
    )
    .option(
      '--epochs <n>',
      'passes over the data; sweeps of factorization (default: 1; autoencoder 15; factorization 6; next-item, session, sasrec 10)',
      wholeNumber('--epochs', 1),
    )
    .option('--examples <n>', 'stop after this many examples instead', wholeNumber('--examples', 1))
    .option(
      '--max-minutes <n>',
      'stop after this many minutes; the schedule then follows the time',
      positive('--max-minutes'),
    )
    .option(
      '--seed <n>',
      'random seed of the initial weights and of the order of examples',
      wholeNumber('--seed', 0),
      1,
    )
    .option('--checkpoint-every <seconds>', 'of training', wholeNumber('--checkpoint-every', 1), 120)
    .option(
      '--evaluate <n>',
      'rank for this many held-out words, points or users at the end; 0 for all',
      wholeNumber('--evaluate', 0),
      defaultEvaluated,
    )
    .option('--log <file>', 'append a line of JSON at every report of progress')
    .option('--tensorboard <folder>', 'write an event file of TensorBoard there')
    .optionsGroup('Machine:');
  addBackendOptions(command)
    .addOption(new Option('--precision <p>', 'of stored numbers').choices(['f32', 'f64']).default('f32'))
    .addOption(
      new Option('--distributed <engine>', 'over the ranks that `mpirun -n 4 vastmax train …` or srun started').choices(
        ['mpi'],
      ),
    )
    .option(
      '--repair-drift',
      'ranks on machines of different kinds: weights that drift apart become those of rank 0 (default: an error)',
    )
    .optionsGroup('Configuration:');
  command
    .addOption(
      new Option('--config <file>', 'read options from a JSON file; those given here override it').argParser(
        (file: string) => {
          applyConfig(command, file);
          return file;
        },
      ),
    )
    .option('--print-config', 'print all options as JSON that --config reads, and exit')
    .option('--print-config-schema', 'print the JSON Schema of that file, and exit')
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax train speeches.txt -o models/speeches --tokenizer words --lower-case
  $ vastmax train wiki.train.tokens.br -o models/wiki --loss spherical-softmax \\
      --valid wiki.valid.tokens.br
  $ vastmax train wiki.train.tokens.br -o models/sampled \\
      --output-layer sampled --samples 500 --proposal unigram
  $ vastmax train wiki.train.tokens.br -o models/wiki --resume
  $ vastmax train wiki.train.tokens.br -o models/lstm --model lstm --hidden 200
  $ vastmax train wiki.train.tokens.br -o models/gpt --model transformer
  $ vastmax train bibtex_train.txt -o models/bibtex --model classifier \\
      --output-layer full --embedding 256 --batch 64 --epochs 15
  $ vastmax train labelled.txt -o models/topics --model classifier \\
      --output-layer hierarchical --word-ngrams 2 --epochs 5
  $ vastmax train --features x.npy --labels y.txt -o models/own --hold-out 0.1
  $ vastmax train --features x.npy --labels y.txt -o models/own \\
      --output-layer ridge
  $ vastmax train ratings.csv -o models/films --model autoencoder
  $ vastmax train plays.csv -o models/songs --model factorization --lambda 0.1
  $ vastmax train clicks.tsv -o models/next --model next-item --time-column when
  $ vastmax train clicks.tsv -o models/sasrec --model sasrec --context 100
  $ vastmax train --loss taylor --epochs 3 --print-config > taylor.json
  $ vastmax train wiki.train.tokens.br -o models/taylor --config taylor.json

Without --output-layer a small vocabulary gets the full softmax, a larger one
sampled softmax, and one beyond 150,000 words the hybrid layer; a line says
which and why. With the factored layer, which --loss takes, the cost of a step
does not depend on the size of the vocabulary either: a loss of
spherical-softmax or taylor-softmax gives probabilities and a perplexity,
z-loss ranks better and gives none.
A US patent, 12,205,005, covers the method of --output-layer rf.

A classifier reads points (XMC), lines of fastText (__label__x words ...), or
CSV, TSV and JSON Lines with a text and a label column. Features of texts are
those of fastText: words, word n-grams and character n-grams in buckets.

--features are vectors that another encoder has made, and --labels has a line
for each. They are the activations below the output layer, or go through layers
of --hidden. .npy, .npz and safetensors may be larger than memory: they are read
where a minibatch needs them. --output-layer ridge fits the least squares of the
labels in one pass, with lambda by generalised cross-validation.

A recommender reads interactions: CSV, TSV, JSON Lines or Parquet with columns
user and item, and time and weight if there are any, or lines \`user item ...\`.
It holds a part of them out, and ranks the whole catalogue for it at the end.
The model's folder then recommends to these users and to new ones: see
vastmax recommend --help.

Ctrl-C saves a checkpoint, and --resume goes on from it bit for bit as if
nothing had happened (with --max-minutes it goes on, but time is not repeated).
A folder that holds a model is refused without --resume or --overwrite.`,
    )
    .action(train);
}

async function train(argument: string | undefined, chosen: GivenTrainOptions, command: Command): Promise<void> {
  const text = argument ?? chosen.text;
  const options = withDefaultSizes(chosen);
  if (options.printConfigSchema === true) {
    process.stdout.write(describeConfigSchema(command));
    return;
  }
  if (options.printConfig === true) {
    process.stdout.write(
      describeConfig(command, text, dependentDefaults({ ...chosen, ...(text === undefined ? {} : { text }) })),
    );
    return;
  }
  if (options.features !== undefined) {
    if (text !== undefined) command.error("error: --features are vectors; leave the argument 'text' out");
    if (!Object.hasOwn(options, 'out')) command.error("error: required option '-o, --out <folder>' not specified");
    await trainDense(options, optionsGiven(command));
    return;
  }
  // Both may be set in the configuration file, so commander cannot check that they are given.
  if (text === undefined) command.error("error: missing required argument 'text'");
  if (!Object.hasOwn(options, 'out')) command.error("error: required option '-o, --out <folder>' not specified");
  const given = optionsGiven(command);
  checkNoFeatureOptions(given);
  await trainModel(text, options, given);
}

/** The options that were on the command line or in a configuration file. */
function optionsGiven(command: Command): GivenOption[] {
  return command.options
    .map((option) => {
      const name = option.attributeName() as keyof TrainOptions;
      const isDefault = command.getOptionValue(name) === (option.defaultValue as unknown);
      return { name, flag: option.long ?? option.flags, isDefault };
    })
    .filter(({ name }) => ['cli', 'config'].includes(command.getOptionValueSource(name) ?? ''));
}
