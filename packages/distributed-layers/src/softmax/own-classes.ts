import type { Backend, Workspace } from '@vastmax/linalg-core';
import { ClassTable, createInitialRows, weightOptions } from '@vastmax/softmax-losses/layer-parts';
import type { SoftmaxLayerOptions } from '@vastmax/softmax-losses';
import { writeOwnRows } from '../factored/own-rows.ts';
import { ownedCount, type RowPartition } from '../rows/row-partition.ts';

/** This rank's rows of a table of classes, with the moments of the rule; the start is that of one process. O(D·d). */
export function createOwnClasses(
  backend: Backend,
  partition: RowPartition,
  rank: number,
  options: SoftmaxLayerOptions & { readonly initialBiases?: ArrayLike<number> },
  workspace: Workspace,
): ClassTable {
  const { features } = options;
  const { bias, rule } = weightOptions(options);
  const own = new ClassTable(
    backend,
    { name: 'classes', rows: ownedCount(partition, rank), features, bias, rule, initialScale: 0 },
    workspace,
  );
  try {
    const initialRows = createInitialRows(options, features, bias);
    writeOwnRows(own.table, partition, rank, (row) => initialRows(row, 1));
    return own;
  } catch (error) {
    own[Symbol.dispose]();
    throw error;
  }
}
