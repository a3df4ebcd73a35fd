/**
 * What a layer checks of the loss that it is given: that it is one, that its expressions return what they should, and
 * that its classes are ranked rightly.
 *
 * Without a `score` classes are ranked by their outputs, so a larger output must never mean a larger loss for the same
 * example. This is tried on a few outputs in f64. Where a loss is not finite it says nothing: it may be defined for
 * positive outputs only, or for small ones, so the outputs tried are at most 1 and their sum is positive.
 */
import { Tape, type Variable } from '@vastmax/autodiff';
import { createMatrixFrom, createPlainBackend, describeShape, readSync, type Matrix } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import { builtInLossNames } from './built-in-losses.ts';
import type { SphericalLoss } from './loss.ts';

const tried = [-3, -1.5, -0.9, -0.4, -0.1, 0.05, 0.2, 0.5, 0.8, 1];
/** Of the classes that are not tried. */
const others = new Float64Array(20).fill(0.6);

/** Losses that were found right. */
const known = new WeakSet<SphericalLoss>();

/** @throws OutputLayerError `bad-option`, naming the loss and what would be right. O(1), and O(D) for class constants. */
export function checkLoss(owner: string, loss: SphericalLoss): void {
  if (!isLoss(loss)) throw new OutputLayerError('bad-option', `${owner}: ${describeWrongLoss(loss)}`);
  if (known.has(loss)) return;
  checkOrder(owner, loss);
  known.add(loss);
}

function isLoss(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'perTarget' in given && typeof given.perTarget === 'function';
}

function describeWrongLoss(given: unknown): string {
  if (typeof given === 'function') {
    const name = given.name === '' ? 'zLoss' : given.name;
    return `loss is the function ${name}, not what it makes; write loss: ${name}()`;
  }
  if (typeof given === 'string') {
    return `loss is the name '${given}', not a loss; createBuiltInLoss(name) makes one, for ${builtInLossNames.join(', ')}`;
  }
  const what = given === undefined ? 'no loss was given' : `loss is ${JSON.stringify(given)}, without a perTarget`;
  return `${what}; write for instance loss: zLoss(), or define one with defineSphericalLoss`;
}

/** The shape that an expression of a loss must have. @throws OutputLayerError `bad-option`. */
export function checkExpression(
  loss: string,
  part: string,
  result: Variable | undefined,
  rows: number,
  columns: number,
): asserts result is Variable {
  const value = (result as { readonly value?: Matrix } | undefined)?.value;
  if (value?.rows === rows && value.columns === columns) return;
  const given = value === undefined ? String(result) : `a Variable of ${describeShape(value)}`;
  throw new OutputLayerError(
    'bad-option',
    `the loss ${loss}: ${part} must return a Variable of ${rows}×${columns}, computed from its terms; it returned ${given}`,
  );
}

function checkOrder(owner: string, loss: SphericalLoss): void {
  const values = rangeOf(loss.classConstants).map((constant) => lossesOf(loss, constant));
  if (loss.score !== undefined) return;
  const advice = 'so ranking by outputs would be wrong; give the loss a score, by which its classes are ordered';
  for (const losses of values) {
    let best = { output: Number.NaN, loss: Infinity };
    for (const [i, output] of tried.entries()) {
      const value = losses?.[i] ?? Number.NaN;
      if (isLarger(value, best.loss)) {
        throw new OutputLayerError(
          'bad-option',
          `${owner}: the loss ${loss.name} is ${value.toPrecision(4)} for an output of ${output} and ${best.loss.toPrecision(4)} for the smaller output ${best.output}, ${advice}`,
        );
      }
      if (value < best.loss) best = { output, loss: value };
    }
  }
  const [first, last] = values;
  if (tried.some((_, i) => isLarger(Math.abs((first?.[i] ?? 0) - (last?.[i] ?? 0)), 0))) {
    throw new OutputLayerError(
      'bad-option',
      `${owner}: the loss ${loss.name} depends on the constant of a class, ${advice}`,
    );
  }
}

/** Beyond rounding; never for NaN. */
const isLarger = (value: number, other: number): boolean =>
  Number.isFinite(value) && value > other + 1e-9 * (1 + Math.abs(value));

/** The smallest and the largest class constant. */
function rangeOf(constants: ArrayLike<number> | undefined): readonly [number | undefined, number | undefined] {
  if (constants === undefined || constants.length === 0) return [undefined, undefined];
  let [smallest, largest] = [Infinity, -Infinity];
  for (let i = 0; i < constants.length; i++) {
    smallest = Math.min(smallest, constants[i]!);
    largest = Math.max(largest, constants[i]!);
  }
  return [smallest, largest];
}

/** The losses of `tried` as targets of one example; undefined for a loss that cannot be tried. */
function lossesOf(loss: SphericalLoss, constant: number | undefined): ArrayLike<number> | undefined {
  const backend = createPlainBackend({ precision: 'f64' });
  using tape = new Tape(backend);
  const outputs = [...tried, ...others];
  const classes = outputs.length;
  const sum = outputs.reduce((total, output) => total + output, 0);
  const squares = outputs.reduce((total, output) => total + output * output, 0);
  const column = (values: readonly number[]): Variable =>
    tape.constant(createMatrixFrom(backend, tried.length, 1, values));
  const repeated = (value: number): Variable => column(tried.map(() => value));
  let result: Variable;
  try {
    result = loss.perTarget({
      q: repeated(squares),
      s: repeated(sum),
      squaredDeviations: repeated(squares - (sum * sum) / classes),
      output: column(tried),
      weight: repeated(loss.targetScale),
      classes,
      constant: constant === undefined ? undefined : repeated(constant),
      constantSum: (constant ?? 0) * classes,
    });
  } catch {
    // What it throws here it throws in the first step, where it is reported with that.
    return undefined;
  }
  checkExpression(loss.name, 'perTarget', result, tried.length, 1);
  return readSync(result.value);
}
