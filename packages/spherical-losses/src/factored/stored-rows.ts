/**
 * What a search over the rows that the layer stores needs: V with W = V·U + 1·ωᵀ, the query in the basis of each epoch
 * that rows are in, and which rows have changed. So an index over V stays valid while training goes on: U and ω change
 * with every step, but they change the query, not the index (packages/top-k, `indexTable` and `searchGrouped`).
 */
import { read, type Matrix, type RowTable } from '@vastmax/linalg-core';
import type { FactoredWeights } from './factored-weights.ts';

/** The output of class c is queries[g]·V_c + offsets[g] for its group g = groupOf[c]. */
export interface MappedQuery {
  /** groups×width. */
  readonly queries: Float64Array;
  readonly offsets: Float64Array;
  /** D numbers of groups; valid until the next step. */
  readonly groupOf: Int32Array;
}

/** The rows of a factored layer as it stores them, for a search in their own basis. */
export interface FactoredRows {
  /** V, D×width, the bias feature last; the layer's own. */
  readonly table: RowTable;
  /**
   * The rows that have changed since the last call, ascending: those of targets, and those that a sweep converted. Steps
   * that are not verified yet are confirmed first. Call it before `mapQuery`, with no step between the two.
   */
  takeChanged(): Promise<Int32Array>;
  /**
   * A query for the outputs of one example. O(D) for the groups and O(d²) for each.
   * @param hidden 1×features.
   */
  mapQuery(hidden: Matrix): Promise<MappedQuery>;
}

/** @param extended hidden with the bias feature. */
export function storedRowsOf(weights: FactoredWeights, extended: (hidden: Matrix) => Matrix): FactoredRows {
  weights.noteChanges();
  return {
    table: weights.rows,
    takeChanged: () => Promise.resolve(weights.takeChanged()),
    mapQuery: async (hidden) => {
      const input = extended(hidden);
      const { rowEpochs, classes, width } = weights;
      const groupOfEpoch = new Map<number, number>();
      const groupOf = new Int32Array(classes);
      let [epoch, group] = [-1, -1];
      for (let row = 0; row < classes; row++) {
        if (rowEpochs[row] !== epoch) {
          epoch = rowEpochs[row]!;
          group = groupOfEpoch.get(epoch) ?? groupOfEpoch.size;
          groupOfEpoch.set(epoch, group);
        }
        groupOf[row] = group;
      }
      const queries = new Float64Array(groupOfEpoch.size * width);
      const offsets = new Float64Array(groupOfEpoch.size);
      for (const [own, place] of groupOfEpoch) {
        const mapped = weights.mapped(input, own);
        queries.set(await read(mapped.queries), place * width);
        offsets.set(await read(mapped.offsets), place);
      }
      return { queries, offsets, groupOf };
    },
  };
}
