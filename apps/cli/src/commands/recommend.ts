import type { Command } from 'commander';
import type { Recommendation, Recommender } from '@vastmax/lm-models/recommenders';
import { csrFromLists, type CsrRows } from '@vastmax/sparse-data';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { addInteractionInputOptions, type InteractionInputOptions } from '../options/interaction-options.ts';
import { wholeNumber } from '../options/option-values.ts';
import { recommendToFile } from '../recommend/recommend-file.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { count, table, warn } from '../terminal/terminal.ts';
import { openAnyModel, ownerOf } from '../text/open-model.ts';

interface RecommendCommandOptions extends BackendOptions, InteractionInputOptions {
  readonly user?: string;
  readonly items?: string;
  readonly input?: string;
  readonly top: number;
  readonly batch: number;
  readonly json?: true;
}

export function addRecommendCommand(program: Command): void {
  const command = program
    .command('recommend')
    .description('the best items for a user of the training data, for a list of items, or for each user of a file')
    .argument('<model>', 'folder of a trained recommender')
    .option('--user <name>', 'a user of the training data')
    .option(
      '--items <a,b,...>',
      'somebody who has these items, in this order; a name with a comma stands in double quotes',
    )
    .option(
      '--input <file>',
      'interactions of new or known users, in any format that train reads; - is standard input; prints JSON Lines',
    )
    .option('-k, --top <n>', 'how many items for each', wholeNumber('--top', 1), 10)
    .option('--batch <n>', 'with --input: users at a time', wholeNumber('--batch', 1), 256)
    .option('--json', 'print one JSON object');
  addInteractionInputOptions(command);
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax recommend models/films --user ann
  $ vastmax recommend models/films --items "Alien,Brazil" -k 5
  $ vastmax recommend models/films --items 'Alien,"Good Night, and Good Luck"'
  $ vastmax recommend models/films --input new-users.csv > recommended.jsonl

What a user has is never recommended again. New users need no training: all
that the model reads of somebody is a list of items. With --user these are all
items of the training data, those held out for the evaluation too; with --items
and --input those that are given. Items that the model does not know are left
out, with a warning. A score orders the items of one user; it is no
probability.

A line of --input's output is an object with "user" and "items", best first.`,
    )
    .action(recommend);
}

async function recommend(directory: string, options: RecommendCommandOptions): Promise<void> {
  const { user, items, input } = options;
  const given = [user, items, input].filter((each) => each !== undefined);
  if (given.length !== 1)
    throw new UsageError(
      `${given.length === 0 ? 'nobody to recommend to' : 'several of --user, --items and --input are given'}; give one of --user NAME, --items a,b,c and --input FILE`,
    );
  using interruption = new Interruption();
  const { signal } = interruption;
  const opened = await openAnyModel(options, directory);
  if (!('recommender' in opened)) {
    ownerOf(opened)[Symbol.dispose]();
    throw new UsageError(`${directory} holds no recommender; ask it with vastmax predict`);
  }
  using recommender = opened.recommender;
  if (input !== undefined) {
    await recommendToFile(recommender, input, { ...options, signal });
    return;
  }
  const history =
    user === undefined ? itemsNamed(recommender, items ?? '', directory) : historyOf(recommender, user, directory);
  const [best = []] = await recommender.recommend(history, { k: options.top, signal });
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ ...(user === undefined ? {} : { user }), items: best })}\n`
      : describeBest(best),
  );
}

/** @throws UsageError for a user that is not known. */
function historyOf(recommender: Recommender, user: string, directory: string): CsrRows {
  const row = recommender.rowOf(user);
  if (row === undefined)
    throw new UsageError(
      `${directory} knows no user '${user}', only its ${count(recommender.users.length)} users; for others give what they have with --items or --input`,
    );
  const history = recommender.knownHistories([row]);
  if (history.offsets[1] === 0)
    throw new UsageError(`user '${user}' has no item that ${directory} knows; give some with --items`);
  return history;
}

/**
 * A name in double quotes may have commas, and "" for a quote, as in CSV.
 * @throws UsageError for a quote that is not closed.
 */
function namesBetweenCommas(list: string): string[] {
  const names: string[] = [];
  const next = /\s*(?:"((?:[^"]|"")*)"|([^",][^,]*)|)\s*(,|$)/y;
  for (;;) {
    const found = next.exec(list);
    if (found === null)
      throw new UsageError(
        `--items ${list}: a name in double quotes ends with one, before a comma or the end; write "" for a quote in it`,
      );
    const [, quoted, plain = '', end] = found;
    names.push(quoted?.replaceAll('""', '"') ?? plain.trim());
    if (end === '') return names;
  }
}

/** @throws UsageError where none is known. */
function itemsNamed({ items }: Recommender, list: string, directory: string): CsrRows {
  const names = namesBetweenCommas(list);
  const unknown = names.filter((name) => !items.has(name));
  if (unknown.length === names.length)
    throw new UsageError(
      `none of the items is one of the ${count(items.size)} that ${directory} knows: ${unknown.join(', ')}`,
    );
  if (unknown.length > 0) warn(`items that ${directory} does not know are left out: ${unknown.join(', ')}`);
  return csrFromLists([names.flatMap((name) => (items.has(name) ? [items.idOf(name) ?? 0] : []))], items.size);
}

function describeBest(best: readonly Recommendation[]): string {
  return `${table([['item', 'score'], ...best.map(({ item, score }) => [item, score.toFixed(3)])])}\n`;
}
