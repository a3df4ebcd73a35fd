/** The options of recommenders: how interactions are read, which of them count, and what is held out. */
import { Option, type Command } from 'commander';
import { positionNames, type PositionName } from '@vastmax/lm-models';
import { interactionFormatNames, type InteractionColumns, type InteractionFormat } from '@vastmax/sparse-data/records';
import { UsageError } from '../terminal/errors.ts';
import { positive, shareBelowOne, wholeNumber } from './option-values.ts';

/** How a file of interactions is read; of `train`, `evaluate` and `recommend`. */
export interface InteractionInputOptions {
  readonly interactionFormat?: InteractionFormat;
  readonly userColumn?: string;
  readonly itemColumn?: string;
  readonly timeColumn?: string;
  readonly weightColumn?: string;
}

const splitNames = ['share', 'last', 'time'] as const;
export type SplitName = (typeof splitNames)[number];

export interface InteractionOptions extends InteractionInputOptions {
  readonly minUserCount?: number;
  readonly minItemCount?: number;
  readonly split?: SplitName;
  readonly holdOut?: number;
  readonly inputDropout?: number;
  readonly context?: number;
  readonly positions?: PositionName;
  readonly lambda?: number;
}

/** Those that decide what a model is trained on. */
export const dataOptions = [
  'interactionFormat',
  'userColumn',
  'itemColumn',
  'timeColumn',
  'weightColumn',
  'minUserCount',
  'minItemCount',
  'split',
  'holdOut',
] as const satisfies readonly (keyof InteractionOptions)[];

/** Those that only recommenders have. */
export const ofRecommenders: ReadonlySet<string> = new Set([
  ...dataOptions,
  'inputDropout',
  'context',
  'positions',
  'lambda',
]);

export function addInteractionInputOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--interaction-format <name>',
        'of interactions; lines are `user item item ...` (default: as the file shows; Parquet is known by itself)',
      ).choices(interactionFormatNames),
    )
    .option('--user-column <name>', 'csv, tsv, jsonl, Parquet: the users (default: user)')
    .option('--item-column <name>', 'the items (default: item)')
    .option('--time-column <name>', 'numbers or dates (default: time, where there is one)')
    .option('--weight-column <name>', 'how much an interaction counts (default: weight, where there is one)');
}

/** Of `train`. */
export function addInteractionOptions(command: Command): Command {
  return addInteractionInputOptions(command)
    .option(
      '--min-user-count <n>',
      'users with fewer interactions are left out (default: 1)',
      wholeNumber('--min-user-count', 1),
    )
    .option(
      '--min-item-count <n>',
      'items with fewer interactions are left out (default: 1)',
      wholeNumber('--min-item-count', 1),
    )
    .addOption(
      new Option(
        '--split <name>',
        "what is held out: a share of each user's items, the last item of each user, or what came last of all by time (default: share; models of sequences: last)",
      ).choices(splitNames),
    )
    .option(
      '--hold-out <share>',
      'how much is held out and evaluated at the end: of interactions by share or time (default: 0.1), of vectors (default: none)',
      shareBelowOne('--hold-out'),
    )
    .option(
      '--input-dropout <p>',
      "share of a user's items that a step does not see (default: autoencoder 0.5, next-item 0)",
      shareBelowOne('--input-dropout'),
    )
    .option(
      '--lambda <r>',
      "factorization: the penalty of a user's or an item's vector for each of its interactions (default: 0.05)",
      positive('--lambda'),
    )
    .option(
      '--context <n>',
      'sasrec: how many last items of a user the model sees (default: 50)',
      wholeNumber('--context', 1, 4096),
    )
    .addOption(
      new Option('--positions <name>', 'sasrec: a vector for each place, or turned by it (default: learned)').choices(
        positionNames,
      ),
    );
}

/** The names of columns that are given; the others have their defaults. */
export function columnsOf({
  userColumn,
  itemColumn,
  timeColumn,
  weightColumn,
}: InteractionInputOptions): Exclude<InteractionColumns, { readonly user: number }> {
  return {
    ...(userColumn === undefined ? {} : { user: userColumn }),
    ...(itemColumn === undefined ? {} : { item: itemColumn }),
    ...(timeColumn === undefined ? {} : { time: timeColumn }),
    ...(weightColumn === undefined ? {} : { weight: weightColumn }),
  };
}

/** @throws UsageError for an option of recommenders, for another model. */
export function checkNoInteractionOptions(given: readonly { readonly name: string; readonly flag: string }[]): void {
  const foreign = given.find(({ name }) => ofRecommenders.has(name));
  if (foreign !== undefined)
    throw new UsageError(
      `${foreign.flag} is an option of recommenders${foreign.name === 'holdOut' ? ' and of --features' : ''}; leave it out, or add --model autoencoder or another recommender`,
    );
}
