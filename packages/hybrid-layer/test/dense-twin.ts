/** The hybrid layer's training on dense weights: logits, probabilities and gradients class by class in f64. */
import { read, type FloatArray } from '@vastmax/linalg-core';
import type { DenseTwin } from '@vastmax/output-layer/suite';
import type { HybridOutputLayer } from '@vastmax/hybrid-layer';

export interface TwinOptions {
  readonly headSize: number;
  readonly features: number;
  readonly prior: Float64Array;
  readonly headRate: number;
  readonly tailRate: number;
  /** Of the tail: the log-spherical or the log-Taylor softmax. */
  readonly tail: 'spherical' | 'taylor';
}

/** Rows of F + 1 head classes and of T tail classes, each with its bias last. */
export async function readDenseWeights(layer: HybridOutputLayer): Promise<Float64Array> {
  const { head } = layer;
  const [tail] = layer.tails;
  const classes = head.state().tensors.find(({ name }) => name === 'classes');
  if (classes === undefined || tail === undefined || !('denseRows' in tail))
    throw new Error('the twin has one head and one spherical tail');
  using dense = layer.backend.createMatrix(tail.classes, tail.width);
  tail.denseRows(0, dense);
  const tailRows: FloatArray = await read(dense);
  return Float64Array.of(...(await classes.read(0, classes.rows)), ...tailRows);
}

/** log p of every class, D of them, for one example. */
export function denseLogProbabilities(
  weights: Float64Array,
  hidden: readonly number[],
  options: TwinOptions,
): number[] {
  const { headSize, prior } = options;
  const { logits, outputs } = outputsOf(weights, hidden, options);
  const logSum = logSumExp(logits);
  const { numerators, sum } = tailTerms(outputs, prior, options.tail);
  return [
    ...logits.slice(0, headSize).map((logit) => logit - logSum),
    ...numerators.map((numerator) => logits[headSize]! - logSum + Math.log(numerator) - Math.log(sum)),
  ];
}

export function createDenseTwin(start: Float64Array, options: TwinOptions): DenseTwin {
  const { headSize, features, prior, headRate, tailRate, tail } = options;
  const width = features + 1;
  const weights = Float64Array.from(start);
  return {
    weights,
    step(hidden, targets, { learningRate, exampleWeights }) {
      const m = targets.rows;
      const losses = new Float64Array(m);
      const hiddenGradient = new Float64Array(m * features);
      const changes = new Float64Array(weights.length);
      for (let example = 0; example < m; example++) {
        const h = [...hidden.subarray(example * features, (example + 1) * features)];
        const { logits, outputs } = outputsOf(weights, h, options);
        const logProbabilities = denseLogProbabilities(weights, h, options);
        const factor = (exampleWeights?.[example] ?? 1) / m;
        const { derivatives, numerators, sum } = tailTerms(outputs, prior, tail);
        const logSum = logSumExp(logits);
        const byOutput = new Float64Array(headSize + 1 + prior.length);
        for (let entry = targets.offsets[example]!; entry < targets.offsets[example + 1]!; entry++) {
          const target = targets.indices[entry]!;
          const y = targets.values?.[entry] ?? 1;
          losses[example]! -= y * logProbabilities[target]!;
          for (let k = 0; k <= headSize; k++)
            byOutput[k]! += y * (Math.exp(logits[k]! - logSum) - (k === Math.min(target, headSize) ? 1 : 0));
          if (target < headSize) continue;
          for (let k = 0; k < prior.length; k++) byOutput[headSize + 1 + k]! += (y * derivatives[k]!) / sum;
          byOutput[target + 1]! -= (y * derivatives[target - headSize]!) / numerators[target - headSize]!;
        }
        for (const [row, gradient] of byOutput.entries()) {
          for (let i = 0; i < features; i++)
            hiddenGradient[example * features + i]! += factor * gradient * weights[row * width + i]!;
          const rate = learningRate * (row <= headSize ? headRate : tailRate);
          for (let i = 0; i < width; i++) changes[row * width + i]! -= rate * factor * gradient * (h[i] ?? 1);
        }
      }
      for (let i = 0; i < weights.length; i++) weights[i]! += changes[i]!;
      return { losses, hiddenGradient };
    },
  };
}

function outputsOf(
  weights: Float64Array,
  hidden: readonly number[],
  { headSize, features, prior }: TwinOptions,
): { logits: number[]; outputs: number[] } {
  const dots = Array.from({ length: headSize + 1 + prior.length }, (_, row) => {
    let sum = weights[row * (features + 1) + features]!;
    for (let i = 0; i < features; i++) sum += hidden[i]! * weights[row * (features + 1) + i]!;
    return sum;
  });
  return { logits: dots.slice(0, headSize + 1), outputs: dots.slice(headSize + 1) };
}

/** What p(c | tail) is proportional to, its derivative by the output, and the sum over the tail. */
function tailTerms(
  outputs: readonly number[],
  prior: Float64Array,
  tail: TwinOptions['tail'],
): { numerators: number[]; derivatives: number[]; sum: number } {
  const numerators = outputs.map((o, k) => (tail === 'spherical' ? o * o + prior[k]! : 1 + o + (o * o) / 2));
  const derivatives = outputs.map((o) => (tail === 'spherical' ? 2 * o : 1 + o));
  return { numerators, derivatives, sum: numerators.reduce((sum, value) => sum + value, 0) };
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
