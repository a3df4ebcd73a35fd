/**
 * What the sampled methods ask of the rows of their classes: so that these may lie in a table of this process
 * (ClassTable), or dealt out over many (distributed-layers), beneath the same mathematics.
 */
import type { Indices, Matrix } from '@vastmax/linalg-core';
import type { RowGradient } from '@vastmax/update-rules';
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';

/** Rows to look at. */
export interface RowSource {
  readonly rows: number;
  /** Features and bias. */
  readonly width: number;
  /** Rows `first` … as indices, prepared in the list of the workspace that is called `list`. */
  range(first: number, count: number, list: string): Indices;
  /** out_i = row indices_i; out count×width. */
  gather(indices: Indices, out: Matrix): void;
}

/** The first `count` of `values`. */
export interface RowList {
  readonly values: Int32Array;
  readonly count: number;
}

export interface TrainableRows extends RowSource, Disposable {
  /** Without the bias. */
  readonly features: number;
  readonly bias: boolean;
  /** Told in each step, before it gathers, all rows that it will gather and update; left out where rows are at hand. */
  fetch?(lists: readonly RowList[]): Promise<void>;
  /** Change rows by the rule; repeated rows, within one gradient and across them, add up. @param step from 1. */
  update(gradients: readonly RowGradient[], learningRate: number, step: number): void | Promise<void>;
  /** The rows and the rule's moments. */
  tensors(): TensorSource[];
  /** @throws StateError `state-mismatch`; nothing is changed. */
  checkState(state: ModuleState): void;
  /** @throws StateError `state-mismatch`. */
  restore(state: ModuleState): Promise<void>;
}
