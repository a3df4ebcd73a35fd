/**
 * The training of a hybrid layer with trees as tails on plain arrays in f64: every class's probability is a list of
 * decisions, each a softmax over some rows.
 */
import type { OutputLayer } from '@vastmax/output-layer';
import type { DenseTwin } from '@vastmax/output-layer/suite';
import type { HybridOutputLayer } from '@vastmax/hybrid-layer';

export interface TreeTwinOptions {
  readonly headSize: number;
  readonly classes: number;
  readonly features: number;
  readonly shortlist: number;
  readonly fanOut: number;
  /** Levels below the root. */
  readonly levels: number;
  readonly headRate: number;
  readonly tailRate: number;
}

interface Decision {
  readonly rows: readonly number[];
  readonly chosen: number;
}

/** Rows of F + 1 head classes, then of the tail's root and of each level below it, each with its bias last. */
export async function readTreeWeights(layer: HybridOutputLayer): Promise<Float64Array> {
  const weights: number[] = [];
  for (const part of [layer.head, ...layer.tails] as OutputLayer[])
    for (const { rows, read } of part.state().tensors) weights.push(...(await read(0, rows)));
  return Float64Array.from(weights);
}

function decisionsOf(target: number, options: TreeTwinOptions): Decision[] {
  const { headSize, classes, shortlist, fanOut, levels } = options;
  const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
  const decisions: Decision[] = [{ rows: range(0, headSize + 1), chosen: Math.min(target, headSize) }];
  if (target < headSize) return decisions;
  let at = headSize + 1;
  const listed = target - headSize < shortlist;
  const place = target - headSize - shortlist;
  for (let level = 0; level <= levels; level++) {
    const leaves = fanOut ** (levels - level);
    const nodes = Math.ceil((classes - headSize - shortlist) / leaves);
    const row = Math.floor(place / leaves);
    if (level === 0) {
      decisions.push({
        rows: range(at, shortlist + nodes),
        chosen: listed ? target - headSize : shortlist + row,
      });
      at += shortlist + nodes;
      if (listed) break;
      continue;
    }
    const first = row - (row % fanOut);
    decisions.push({ rows: range(at + first, Math.min(fanOut, nodes - first)), chosen: row - first });
    at += nodes;
  }
  return decisions;
}

function softmaxOf(weights: Float64Array, h: readonly number[], { rows, chosen }: Decision): number[] {
  const width = h.length;
  const logits = rows.map((row) => h.reduce((sum, value, i) => sum + value * weights[row * width + i]!, 0));
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  if (chosen < 0 || chosen >= rows.length) throw new Error('the path leaves the tree');
  return logits.map((logit) => Math.exp(logit - largest) / total);
}

/** log p of a class. @param hidden of one example, without the bias feature. */
export function treeLogProbability(
  weights: Float64Array,
  hidden: readonly number[],
  target: number,
  options: TreeTwinOptions,
): number {
  const h = [...hidden, 1];
  return decisionsOf(target, options).reduce(
    (sum, decision) => sum + Math.log(softmaxOf(weights, h, decision)[decision.chosen]!),
    0,
  );
}

export function createTreeTwin(start: Float64Array, options: TreeTwinOptions): DenseTwin {
  const { features, headSize, headRate, tailRate } = options;
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
        const h = [...hidden.subarray(example * features, (example + 1) * features), 1];
        for (let entry = targets.offsets[example]!; entry < targets.offsets[example + 1]!; entry++) {
          const y = targets.values?.[entry] ?? 1;
          const scale = ((exampleWeights?.[example] ?? 1) * y) / m;
          for (const decision of decisionsOf(targets.indices[entry]!, options)) {
            const shares = softmaxOf(weights, h, decision);
            losses[example]! -= y * Math.log(shares[decision.chosen]!);
            for (const [k, row] of decision.rows.entries()) {
              const slope = scale * (shares[k]! - (k === decision.chosen ? 1 : 0));
              const rate = learningRate * (row <= headSize ? headRate : tailRate);
              for (let i = 0; i < width; i++) changes[row * width + i]! -= rate * slope * h[i]!;
              for (let i = 0; i < features; i++)
                hiddenGradient[example * features + i]! += slope * weights[row * width + i]!;
            }
          }
        }
      }
      for (let i = 0; i < weights.length; i++) weights[i]! += changes[i]!;
      return { losses, hiddenGradient };
    },
  };
}
