/**
 * A tree in a checkpoint: its vectors and its sums, unchanged. Both are stored, because the vectors of the tree may
 * differ from the class vectors, and because sums that were updated step by step differ in their last digits from
 * recomputed sums. Only so is a resumed run bit for bit equal to one that was not interrupted. With leaves of the
 * default size this is as large as two tables of class vectors.
 */
import { readTableRows, writeTableRows, type FloatArray, type TablePieces } from '@vastmax/linalg-core';
import { findTensor, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';
import type { FeatureTree } from './feature-tree.ts';

const rowsPerBlock = 1024;

interface TreePart {
  readonly name: string;
  readonly rows: number;
  readonly pieces: TablePieces;
}

function partsOf(tree: FeatureTree): TreePart[] {
  return [
    { name: 'tree.vectors', rows: tree.classes, pieces: tree.vectors },
    { name: 'tree.sums', rows: tree.leaves, pieces: tree.sums },
  ];
}

export function treeTensors(tree: FeatureTree): TensorSource[] {
  return partsOf(tree).map(({ name, rows, pieces }) => ({
    name,
    precision: tree.precision,
    rows,
    columns: pieces.columns,
    read: (first, count) => {
      const out: FloatArray =
        tree.precision === 'f32' ? new Float32Array(count * pieces.columns) : new Float64Array(count * pieces.columns);
      readTableRows(pieces, first, count, out);
      return Promise.resolve(out);
    },
  }));
}

/**
 * Finds the tree in a state.
 * @returns a function that restores it.
 * @throws StateError `state-mismatch`; nothing is changed.
 */
export function prepareTreeRestore(tree: FeatureTree, state: ModuleState): () => Promise<void> {
  const parts = partsOf(tree).map((part) => ({
    ...part,
    source: findTensor(state, part.name, part.rows, part.pieces.columns),
  }));
  return async () => {
    for (const { rows, pieces, source } of parts) {
      for (let first = 0; first < rows; first += rowsPerBlock) {
        const count = Math.min(rowsPerBlock, rows - first);
        writeTableRows(await source.read(first, count), first, count, pieces);
      }
    }
  };
}
