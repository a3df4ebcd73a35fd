/** Recommendations for each user of a file, as JSON Lines. */
import type { Recommender } from '@vastmax/lm-models/recommenders';
import { addDuplicates, type CsrRows } from '@vastmax/sparse-data';
import type { InteractionInputOptions } from '../options/interaction-options.ts';
import { freezeWhenItPays } from '../run/freeze-when-it-pays.ts';
import { writeResults } from '../terminal/standard-output.ts';
import { count, Progress, warn } from '../terminal/terminal.ts';
import { readSessions } from './interaction-data.ts';

export interface FileOptions extends InteractionInputOptions {
  readonly top: number;
  readonly batch: number;
  readonly signal: AbortSignal;
}

/**
 * Prints an object for each user who has an item that the recommender knows, in order of first appearance. The
 * recommender's network is frozen on the way.
 */
export async function recommendToFile(recommender: Recommender, path: string, options: FileOptions): Promise<void> {
  const { top, batch, signal } = options;
  // On a terminal the results would overwrite the progress bar, so there is none.
  using progress = process.stdout.isTTY ? undefined : new Progress('recommending');
  const { users, sessions } = await readSessions(path, { ...options, minUserCount: 0 }, signal, recommender.items);
  const histories = recommender.entry.reads === 'sets' ? addDuplicates(sessions) : sessions;
  const known = Array.from(users.keys()).filter((row) => histories.offsets[row + 1]! > histories.offsets[row]!);
  if (known.length < users.length)
    warn(`${count(users.length - known.length)} users of ${path} have no item that the model knows; they are left out`);
  for (let first = 0; first < known.length; first += batch) {
    const rows = known.slice(first, first + batch);
    await freezeWhenItPays(recommender.network, first);
    const best = await recommender.recommend(rowsAt(histories, rows), { k: top, signal });
    const lines = rows.map((row, place) => `${JSON.stringify({ user: users[row], items: best[place] })}\n`);
    progress?.update((first + rows.length) / known.length, [`${count(first + rows.length)} users`]);
    if (!(await writeResults(lines.join('')))) return;
  }
}

/** Some rows, in this order. */
function rowsAt({ columns, offsets, indices, values }: CsrRows, rows: readonly number[]): CsrRows {
  const entries = rows.flatMap((row) =>
    Array.from({ length: offsets[row + 1]! - offsets[row]! }, (_, i) => offsets[row]! + i),
  );
  const starts = [0];
  for (const row of rows) starts.push(starts[starts.length - 1]! + offsets[row + 1]! - offsets[row]!);
  return {
    rows: rows.length,
    columns,
    offsets: Int32Array.from(starts),
    indices: Int32Array.from(entries, (entry) => indices[entry]!),
    values: values === undefined ? undefined : Float64Array.from(entries, (entry) => values[entry]!),
  };
}
