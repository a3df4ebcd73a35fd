/**
 * The weights of a dense output layer, D×d, as blocks of rows where the arithmetic is, and the targets of a minibatch
 * sorted by block.
 */
import { type Backend, type Indices, type Matrix, Workspace, write } from '@vastmax/linalg-core';

/** A block's weights, outputs and indices together fit a second-level cache or nearly so. */
const rowsPerBlock = 1024;

export interface BlockTargets {
  /** Examples whose target lies in the block. */
  readonly examples: Indices;
  /** Where their outputs are in the block's m×rows outputs, taken as a column. */
  readonly places: Indices;
}

export interface ClassBlocksOptions {
  readonly classes: number;
  readonly width: number;
  /** Rows of W first … first + count − 1. */
  readonly initialRows: (first: number, count: number) => ArrayLike<number>;
  /** Keep the outputs of all blocks (m×D numbers in all) or one block's at a time. */
  readonly keepOutputs: boolean;
}

export class ClassBlocks implements Disposable {
  readonly weights: readonly Matrix[];
  readonly #workspace: Workspace;
  readonly #keepOutputs: boolean;
  readonly #targets: (BlockTargets | undefined)[];

  constructor(backend: Backend, { classes, width, initialRows, keepOutputs }: ClassBlocksOptions) {
    this.#workspace = new Workspace(backend);
    this.#keepOutputs = keepOutputs;
    const weights: Matrix[] = [];
    for (let first = 0; first < classes; first += rowsPerBlock) {
      const rows = backend.createMatrix(Math.min(rowsPerBlock, classes - first), width);
      write(initialRows(first, rows.rows), rows);
      weights.push(rows);
    }
    this.weights = weights;
    this.#targets = weights.map(() => undefined);
  }

  /** m×rows, for the outputs of a block. */
  outputs(block: number, examples: number): Matrix {
    return this.#workspace.matrix(
      this.#keepOutputs ? `outputs ${block}` : 'outputs',
      examples,
      this.weights[block]?.rows ?? 0,
    );
  }

  /** Sort one target an example by block. */
  assign(targetClasses: Int32Array): void {
    const lists = this.weights.map((): { examples: number[]; places: number[] } => ({ examples: [], places: [] }));
    for (const [example, target] of targetClasses.entries()) {
      const block = Math.floor(target / rowsPerBlock);
      const list = lists[block];
      const rows = this.weights[block]?.rows ?? 0;
      list?.examples.push(example);
      list?.places.push(example * rows + (target % rowsPerBlock));
    }
    for (const [block, { examples, places }] of lists.entries()) {
      this.#targets[block] =
        examples.length === 0
          ? undefined
          : {
              examples: this.#workspace.indices(`examples ${block}`, Int32Array.from(examples)),
              places: this.#workspace.indices(`places ${block}`, Int32Array.from(places)),
            };
    }
  }

  /** Undefined for a block without targets. */
  targets(block: number): BlockTargets | undefined {
    return this.#targets[block];
  }

  [Symbol.dispose](): void {
    this.#workspace[Symbol.dispose]();
    for (const matrix of this.weights) matrix[Symbol.dispose]();
  }
}
