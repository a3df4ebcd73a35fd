/**
 * The best k classes of each example with some left out: what a user has met already is not recommended again. Exact,
 * streamed in blocks of classes, so that m×D is never held: O(m·D·d) arithmetic, O(m·block) memory.
 */
import { createHostArray, read, type FloatArray, type Matrix } from '@vastmax/linalg-core';
import { withFixedWeights, type OutputLayer, type TopK } from '@vastmax/output-layer';
import type { CsrRows } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';

/** Classes to leave out for each example, and how to stop. */
export interface TopClassesOptions {
  /** m rows over the classes: what each example is not to be given. Values are not looked at. */
  readonly exclude?: CsrRows;
  /** An AbortSignal. */
  readonly signal?: { throwIfAborted(): void };
}

/** Scores held at once for one block; 1,048,576 numbers of f32 are 4 MiB. */
const scoresPerBlock = 1_048_576;

/**
 * Best first; of equal scores the smaller class. Where fewer than k classes are left, the rest is class −1 with score
 * −Infinity.
 * @param hidden m×d.
 * @throws ModelError `bad-option` for a k out of range, `shape` when `exclude` has other than m rows.
 */
export async function topClasses(
  layer: OutputLayer,
  hidden: Matrix,
  k: number,
  options: TopClassesOptions = {},
): Promise<TopK> {
  const { exclude } = options;
  const examples = hidden.rows;
  if (!Number.isSafeInteger(k) || k < 1 || k > layer.classes) {
    throw new ModelError(
      'bad-option',
      `topClasses: k must be a whole number from 1 to ${layer.classes} (the classes), got ${k}`,
    );
  }
  if (exclude !== undefined && exclude.rows !== examples) {
    throw new ModelError(
      'shape',
      `topClasses: exclude has ${exclude.rows} rows for ${examples} examples; one each is needed`,
    );
  }
  const found = layer.bestClasses?.(hidden, k, exclude === undefined ? undefined : notAmong(exclude));
  return found ?? withFixedWeights(layer, 'topClasses', () => bestOf(layer, hidden, k, options));
}

function notAmong({ rows, offsets, indices }: CsrRows): (classNumber: number, example: number) => boolean {
  const excluded = Array.from(
    { length: rows },
    (_, row) => new Set(indices.subarray(offsets[row]!, offsets[row + 1]!)),
  );
  return (classNumber, example) => excluded[example]?.has(classNumber) !== true;
}

async function bestOf(
  layer: OutputLayer,
  hidden: Matrix,
  k: number,
  { exclude, signal }: TopClassesOptions,
): Promise<TopK> {
  const examples = hidden.rows;
  const classes = new Int32Array(examples * k).fill(-1);
  const scores = new Float64Array(examples * k).fill(-Infinity);
  const width = Math.max(1, Math.min(layer.classes, Math.floor(scoresPerBlock / Math.max(1, examples))));
  using out = layer.backend.createMatrix(examples, width);
  const block = createHostArray(layer.backend, examples * width);
  for (let first = 0; first < layer.classes; first += width) {
    signal?.throwIfAborted();
    const columns = Math.min(width, layer.classes - first);
    layer.scores(hidden, first, out.resize(examples, columns));
    await read(out, block);
    if (exclude !== undefined) removeExcluded(exclude, block, first, columns);
    for (let example = 0; example < examples; example++) insertBest(block, example, first, columns, k, classes, scores);
  }
  return { k, classes, scores };
}

function removeExcluded({ rows, offsets, indices }: CsrRows, block: FloatArray, first: number, columns: number): void {
  for (let example = 0; example < rows; example++) {
    for (let entry = offsets[example]!; entry < offsets[example + 1]!; entry++) {
      const column = indices[entry]! - first;
      if (column >= 0 && column < columns) block[example * columns + column] = -Infinity;
    }
  }
}

/** Insertion into a short sorted list; classes come in ascending order, so equal scores stay in that order. */
function insertBest(
  block: FloatArray,
  example: number,
  first: number,
  columns: number,
  k: number,
  classes: Int32Array,
  scores: Float64Array,
): void {
  const base = example * k;
  const last = base + k - 1;
  let worst = scores[last]!;
  for (let column = 0, i = example * columns; column < columns; column++, i++) {
    const score = block[i]!;
    if (!(score > worst)) continue;
    let position = last;
    while (position > base && scores[position - 1]! < score) {
      scores[position] = scores[position - 1]!;
      classes[position] = classes[position - 1]!;
      position--;
    }
    scores[position] = score;
    classes[position] = first + column;
    worst = scores[last]!;
  }
}
