/**
 * Precision and recall of the labels that are predicted, over all examples and of each label, as `fasttext test` and
 * `fasttext test-label` count them: of each example the k best labels with at least a threshold are predicted.
 */
import { ModelError } from '../model-error.ts';
import type { EvaluatedNetwork } from '../network/network.ts';
import { predictClasses } from '../prediction/predict-classes.ts';
import type { EvaluationBatches, TrainingBatch } from '../training/training-types.ts';
import { eachBatch, rightClasses, type EvaluationSpan } from './multi-label.ts';

/** Which classes count as predicted: at most `k`, and those from `threshold` on. */
export interface PredictionRule {
  /** How many labels are predicted for an example, at most. */
  readonly k: number;
  /** Least probability of a predicted label, or least score where the layer has no probabilities; any unless given. */
  readonly threshold?: number;
}

/** Precision and F1 are undefined where nothing was predicted, recall where nothing was right. */
export interface LabelScores {
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  /** 2·hits/(predicted + right): the harmonic mean of precision and recall. */
  readonly f1: number | undefined;
  /** How often a label was predicted. */
  readonly predicted: number;
  /** How often a label was right: its support. */
  readonly right: number;
  /** How often it was both. */
  readonly hits: number;
}

/** Precision, recall and F1 over all labels, and for each class. */
export interface LabelEvaluationReport extends LabelScores {
  /** Examples with a label; the others are left out. */
  readonly examples: number;
  readonly unlabelled: number;
  /** Of each class that was right or predicted, by falling support. */
  readonly classes: readonly (LabelScores & { readonly class: number })[];
}

/** Counts right and predicted labels, batch by batch, as fastText's `test` and `test-label` do. */
export class LabelCounter {
  readonly #predicted: Float64Array;
  readonly #right: Float64Array;
  readonly #hits: Float64Array;
  #examples = 0;
  #unlabelled = 0;

  /** @param classes D. */
  constructor(classes: number) {
    this.#predicted = new Float64Array(classes);
    this.#right = new Float64Array(classes);
    this.#hits = new Float64Array(classes);
  }

  /** An example: both lists without repetitions. O(predicted + right). */
  add(predicted: Iterable<number>, right: Iterable<number>): void {
    const isRight = new Set(right);
    if (isRight.size === 0) {
      this.#unlabelled++;
      return;
    }
    this.#examples++;
    for (const each of isRight) this.#right[each]!++;
    for (const each of predicted) {
      this.#predicted[each]!++;
      if (isRight.has(each)) this.#hits[each]!++;
    }
  }

  /** O(D log D). */
  report(): LabelEvaluationReport {
    const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
    const classes = Array.from(this.#right, (right, index) => ({
      class: index,
      ...scoresOf(this.#predicted[index]!, right, this.#hits[index]!),
    })).filter(({ predicted, right }) => predicted + right > 0);
    return {
      examples: this.#examples,
      unlabelled: this.#unlabelled,
      ...scoresOf(total(this.#predicted), total(this.#right), total(this.#hits)),
      classes: classes.sort((a, b) => b.right - a.right || a.class - b.class),
    };
  }
}

function scoresOf(predicted: number, right: number, hits: number): LabelScores {
  return {
    precision: predicted > 0 ? hits / predicted : undefined,
    recall: right > 0 ? hits / right : undefined,
    f1: predicted + right > 0 ? (2 * hits) / (predicted + right) : undefined,
    predicted,
    right,
    hits,
  };
}

/**
 * One epoch of `batches`, or its first `limit` examples. O(examples·D·d), streamed in blocks of classes.
 * @throws ModelError `bad-option` for a k below 1; OutputLayerError `busy` beside another call on the network.
 */
export function evaluateLabels<Batch extends TrainingBatch>(
  network: EvaluatedNetwork<NoInfer<Batch>>,
  batches: EvaluationBatches<Batch>,
  { k, threshold = -Infinity, ...span }: PredictionRule & EvaluationSpan,
): Promise<LabelEvaluationReport> {
  const { output } = network;
  if (!Number.isSafeInteger(k) || k < 1)
    throw new ModelError('bad-option', `label evaluation: k must be a whole number of at least 1, got ${k}`);
  return network.exclusively('evaluateLabels', async () => {
    const counter = new LabelCounter(output.classes);
    await eachBatch(batches, span, async (batch, count) => {
      const best = await predictClasses(output, network.computeHidden(batch), Math.min(k, output.classes), {
        ...(span.signal === undefined ? {} : { signal: span.signal }),
      });
      const values = best.probabilities ?? best.scores;
      for (let example = 0; example < count; example++) {
        const first = example * best.k;
        const predicted = best.classes
          .subarray(first, first + best.k)
          .filter((_, place) => values[first + place]! >= threshold);
        counter.add(predicted, rightClasses(batch.targets, example));
      }
    });
    return counter.report();
  });
}
