/**
 * Recall and nDCG at 20 as the tables of LightGCN (arXiv:2002.02126) and after it have them: all items are ranked for
 * each user with test items, those of the training left out; recall is the share of the user's test items among the 20
 * best, and the best possible gain that of min(20, test items). Means over users.
 */
import { MultiLabelCollector } from '@vastmax/lm-models/metrics';
import type { CsrRows } from '@vastmax/sparse-data';

export interface Ranking {
  readonly recall20: number;
  readonly ndcg20: number;
}

/** Users that are ranked at once. */
const usersPerBlock = 512;

/** What a model ranks highest for users, and what must not be among it. */
export type BestItems = (users: Int32Array, seen: CsrRows, k: number) => Promise<ArrayLike<number>>;

/** @param best k items for each of the users, best first, users one after the other; −1 where there are no more. */
export async function rankItems(seen: CsrRows, wanted: CsrRows, best: BestItems): Promise<Ranking> {
  const collector = new MultiLabelCollector({ ks: [20] });
  const users = Array.from({ length: wanted.rows }, (_, user) => user).filter(
    (user) => itemsOf(wanted, user).length > 0,
  );
  for (let first = 0; first < users.length; first += usersPerBlock) {
    const block = Int32Array.from(users.slice(first, first + usersPerBlock));
    const items = await best(block, pickRows(seen, block), 20);
    block.forEach((user, place) => {
      collector.add(
        Array.from({ length: 20 }, (_, k) => items[place * 20 + k] ?? -1),
        itemsOf(wanted, user),
      );
    });
  }
  const [at20] = collector.metrics().atK;
  return { recall20: at20?.recall ?? Number.NaN, ndcg20: at20?.ndcg ?? Number.NaN };
}

export function itemsOf({ offsets, indices }: CsrRows, user: number): Int32Array {
  return indices.subarray(offsets[user]!, offsets[user + 1]!);
}

export function pickRows(rows: CsrRows, users: Int32Array): CsrRows {
  const offsets = new Int32Array(users.length + 1);
  users.forEach((user, place) => {
    offsets[place + 1] = offsets[place]! + itemsOf(rows, user).length;
  });
  const indices = new Int32Array(offsets[users.length]!);
  users.forEach((user, place) => {
    indices.set(itemsOf(rows, user), offsets[place]!);
  });
  return { rows: users.length, columns: rows.columns, offsets, indices, values: undefined };
}
