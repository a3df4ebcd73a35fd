/** What every output layer does at the beginning of a call: check its arguments, and append the bias feature. */
import { copyColumns, fill, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { CsrRows } from '@vastmax/sparse-data';
import { OutputLayerError } from './errors.ts';
import type { OutputLayer, StepOptions } from './output-layer.ts';

type Sizes = Pick<OutputLayer, 'kind' | 'backend' | 'classes' | 'features'>;

/** @throws OutputLayerError `disposed`, `shape`, `bad-option` (another backend). */
export function checkHidden(layer: Sizes, operation: string, hidden: Matrix): void {
  checkMatrix(layer, operation, 'hidden', hidden);
  if (hidden.columns !== layer.features) {
    throw new OutputLayerError(
      'shape',
      `${layer.kind} ${operation}: hidden is ${hidden.rows}×${hidden.columns}, the layer has ${layer.features} features`,
    );
  }
}

/** A result that the caller has made: @param columns 1 for one number for each row. @throws as `checkHidden`. */
export function checkOut(layer: Sizes, operation: string, out: Matrix, rows: number, columns: number): void {
  checkMatrix(layer, operation, 'out', out);
  if (out.rows === rows && out.columns === columns) return;
  throw new OutputLayerError(
    'shape',
    `${layer.kind} ${operation}: out is ${out.rows}×${out.columns}, it must be ${rows}×${columns}`,
  );
}

function checkMatrix(layer: Sizes, operation: string, operand: string, matrix: Matrix): void {
  const given: unknown = matrix;
  if (typeof given !== 'object' || given === null || !('backend' in given)) {
    throw new OutputLayerError(
      'bad-option',
      `${layer.kind} ${operation}: ${operand} must be a Matrix of the layer's backend, got ${describeGiven(given)}; createMatrixFrom(backend, rows, columns, values) makes one`,
    );
  }
  if (matrix.disposed) throw new OutputLayerError('disposed', `${layer.kind} ${operation}: ${operand} was disposed`);
  const [theirs, own] = [matrix.backend, layer.backend];
  if (theirs === own) return;
  throw new OutputLayerError(
    'bad-option',
    theirs.name === own.name
      ? `${layer.kind} ${operation}: ${operand} lives on another instance of the backend '${own.name}' than the layer; create both on the same one`
      : `${layer.kind} ${operation}: ${operand} lives on '${theirs.name}', the layer on '${own.name}'; create both on the same backend`,
  );
}

function describeGiven(given: unknown): string {
  if (Array.isArray(given) || ArrayBuffer.isView(given)) return 'an array';
  return given === undefined || given === null ? 'nothing' : `a ${typeof given}`;
}

/** Shape, class range and finite weights; O(number of targets). */
export function checkTargets(layer: Sizes, operation: string, hidden: Matrix, targets: CsrRows): void {
  const given: unknown = targets;
  if (typeof given !== 'object' || given === null || !('offsets' in given && 'indices' in given)) {
    throw new OutputLayerError(
      'bad-option',
      `${layer.kind} ${operation}: targets must be CsrRows, got ${describeGiven(given)}; singleTargets(classes, ${layer.classes}) or csrFromLists makes them`,
    );
  }
  const { rows, columns, offsets, indices, values } = targets;
  if (columns !== layer.classes) {
    throw new OutputLayerError(
      'shape',
      `${layer.kind} ${operation}: the targets are made for ${String(columns)} classes, the layer has ${layer.classes}`,
    );
  }
  if (rows !== hidden.rows) {
    throw new OutputLayerError(
      'shape',
      `${layer.kind} ${operation}: targets have ${rows} rows, hidden has ${hidden.rows}`,
    );
  }
  if (offsets.length < rows + 1 || offsets[0] !== 0) {
    throw new OutputLayerError(
      'shape',
      `${layer.kind} ${operation}: target offsets must start at 0 and have ${rows + 1} entries, got ${offsets.length} from ${offsets[0]}`,
    );
  }
  for (let row = 0; row < rows; row++) {
    const end = offsets[row + 1]!;
    if (end < offsets[row]! || end > indices.length || (values !== undefined && end > values.length)) {
      throw new OutputLayerError(
        'shape',
        `${layer.kind} ${operation}: target offsets of example ${row} run from ${offsets[row]!} to ${end}, there are ${indices.length} targets`,
      );
    }
    for (let position = offsets[row]!; position < end; position++) {
      const target = indices[position]!;
      if (target < 0 || target >= layer.classes) {
        throw new OutputLayerError(
          'class-out-of-range',
          `${layer.kind} ${operation}: target ${target} of example ${row} is not a class (0 to ${layer.classes - 1})`,
        );
      }
      const weight = values === undefined ? 1 : values[position]!;
      if (!Number.isFinite(weight)) {
        throw new OutputLayerError(
          'non-finite',
          `${layer.kind} ${operation}: the weight of target ${target} of example ${row} is ${weight}, it must be finite`,
        );
      }
    }
  }
}

/** Rate and example weights. */
export function checkStepOptions(layer: Sizes, examples: number, options: StepOptions): void {
  const { learningRate, exampleWeights } = options;
  if (!Number.isFinite(learningRate) || learningRate < 0) {
    throw new OutputLayerError(
      'bad-option',
      `${layer.kind} step: learningRate must be a finite number of at least 0, got ${learningRate}`,
    );
  }
  if (exampleWeights === undefined) return;
  if (exampleWeights.length !== examples) {
    throw new OutputLayerError(
      'shape',
      `${layer.kind} step: ${exampleWeights.length} example weights for ${examples} examples`,
    );
  }
  for (let example = 0; example < examples; example++) {
    if (!Number.isFinite(exampleWeights[example])) {
      throw new OutputLayerError(
        'non-finite',
        `${layer.kind} step: the weight of example ${example} is ${exampleWeights[example]}`,
      );
    }
  }
}

/** @throws OutputLayerError `class-out-of-range`, `shape` for the arguments of `scores` and `classScores`. */
export function checkClassRange(layer: Sizes, operation: string, firstClass: number, count: number): void {
  if (!Number.isSafeInteger(firstClass) || firstClass < 0 || firstClass + count > layer.classes) {
    throw new OutputLayerError(
      'class-out-of-range',
      `${layer.kind} ${operation}: classes ${firstClass} to ${firstClass + count - 1} were asked for, there are 0 to ${layer.classes - 1}`,
    );
  }
}

/** One class for each example. @throws OutputLayerError `shape`, `class-out-of-range`. */
export function checkExampleClasses(layer: Sizes, operation: string, hidden: Matrix, classes: Int32Array): void {
  if (classes.length !== hidden.rows) {
    throw new OutputLayerError(
      'shape',
      `${layer.kind} ${operation}: ${classes.length} classes for ${hidden.rows} examples`,
    );
  }
  for (const target of classes) checkClassRange(layer, operation, target, 1);
}

/**
 * The arguments of a call for the scores of a range of classes.
 * @param out m×count.
 * @throws OutputLayerError `shape`, `class-out-of-range`, LinalgError.
 */
export function checkScores(layer: Sizes, operation: string, hidden: Matrix, firstClass: number, out: Matrix): void {
  checkHidden(layer, operation, hidden);
  checkOut(layer, operation, out, hidden.rows, out.columns);
  checkClassRange(layer, operation, firstClass, out.columns);
}

/**
 * The arguments of a call for the score of one class for each example.
 * @param out m×1.
 * @throws OutputLayerError `shape`, `class-out-of-range`, LinalgError.
 */
export function checkClassScores(
  layer: Sizes,
  operation: string,
  hidden: Matrix,
  classes: Int32Array,
  out: Matrix,
): void {
  checkHidden(layer, operation, hidden);
  checkExampleClasses(layer, operation, hidden, classes);
  checkOut(layer, operation, out, hidden.rows, 1);
}

/**
 * The arguments of a call for the vectors of a range of classes.
 * @param out count×features.
 * @throws OutputLayerError `shape`, `class-out-of-range`, LinalgError.
 */
export function checkClassVectors(layer: Sizes, operation: string, firstClass: number, out: Matrix): void {
  checkOut(layer, operation, out, out.rows, layer.features);
  checkClassRange(layer, operation, firstClass, out.rows);
}

/**
 * `hidden` m×features, with a column of ones appended when the class weights have a bias in their last column.
 * @param name of the workspace's matrix that holds the result until the next call with that name.
 */
export function withBiasFeature(
  workspace: Workspace,
  hidden: Matrix,
  bias: boolean,
  name = 'hidden with bias',
): Matrix {
  if (!bias) return hidden;
  const extended = workspace.matrix(name, hidden.rows, hidden.columns + 1);
  fill(1, extended);
  copyColumns(hidden, 0, extended, 0, hidden.columns);
  return extended;
}

/** The inverse for a gradient with respect to what {@link withBiasFeature} returned: its first `features` columns. */
export function withoutBiasFeature(workspace: Workspace, gradient: Matrix, features: number): Matrix {
  if (gradient.columns === features) return gradient;
  const narrow = workspace.matrix('hidden gradient without bias', gradient.rows, features);
  copyColumns(gradient, 0, narrow, 0, features);
  return narrow;
}
