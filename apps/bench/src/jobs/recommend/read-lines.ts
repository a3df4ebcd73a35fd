/** Files of lines `user item item …`, all of them numbers. */
import { csrFromLists, type CsrRows } from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { BenchError } from '../../measurement/bench-error.ts';

/** The items of each user, in the order of the file; none for a user without a line. */
export async function readItemLists(path: string): Promise<number[][]> {
  const lists: number[][] = [];
  let line = 0;
  for await (const text of readLines(path)) {
    line++;
    const [user, ...items] = text.trim().split(/\s+/).map(Number);
    if (user === undefined || [user, ...items].some((value) => !Number.isSafeInteger(value) || value < 0))
      throw new BenchError('failed', `${path}, line ${line}: a user and items are expected, all of them whole numbers`);
    while (lists.length <= user) lists.push([]);
    lists[user]!.push(...items);
  }
  return lists;
}

/** One row for each user; a user that `lists` does not have has none. */
export function rowsOfUsers(lists: readonly (readonly number[])[], users: number, items: number): CsrRows {
  return csrFromLists(
    Array.from({ length: users }, (_, user) => lists[user] ?? []),
    items,
  );
}
