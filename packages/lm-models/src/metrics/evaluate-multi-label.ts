/** Rankings of models whose examples have several right classes: classifiers, recommenders, completed sets. */
import { read, type Matrix } from '@vastmax/linalg-core';
import type { CancellationSignal, CsrRows } from '@vastmax/sparse-data';
import type { EvaluatedBatch, EvaluatedModel, EvaluationBatches } from '../training/trainable-model.ts';
import { MultiLabelCollector, type MultiLabelMetrics, type MultiLabelOptions } from './multi-label-metrics.ts';
import { topClasses } from './top-classes.ts';

export interface MultiLabelEvaluationOptions<Batch> extends MultiLabelOptions {
  /**
   * Classes that an example is not to be given, such as `({ inputs }) => inputs` where inputs and classes are the same
   * items.
   */
  readonly exclude?: (batch: Batch) => CsrRows;
  /** Stop after so many examples; all of an epoch unless given. */
  readonly limit?: number;
  readonly signal?: CancellationSignal;
  readonly onProgress?: (examples: number, total: number) => void;
}

export interface MultiLabelReport extends MultiLabelMetrics {
  /** Mean loss; undefined for a baseline without one. */
  readonly loss: number | undefined;
}

/** One epoch of `batches`, or its first `limit` examples. O(examples·D·d), streamed in blocks of classes. */
export async function evaluateMultiLabel<Batches extends EvaluationBatches>(
  model: EvaluatedModel<EvaluatedBatch<Batches>>,
  batches: Batches,
  options: MultiLabelEvaluationOptions<EvaluatedBatch<Batches>>,
): Promise<MultiLabelReport> {
  const { output } = model;
  const collector = new MultiLabelCollector(options);
  const depth = Math.min(collector.depth, output.classes);
  let lossSum = 0;
  let counted = 0;
  await eachBatch(batches, options, async (batch, count) => {
    const hidden: Matrix = model.computeBatchHidden(batch);
    const losses = await read(await output.evaluate(hidden, batch.targets));
    const exclude = options.exclude?.(batch);
    const { classes } = await topClasses(output, hidden, depth, {
      ...(exclude === undefined ? {} : { exclude }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    for (let example = 0; example < count; example++) {
      lossSum += losses[example]!;
      collector.add(classes.subarray(example * depth, (example + 1) * depth), rightClasses(batch.targets, example));
    }
    counted += count;
  });
  return { ...collector.metrics(), loss: lossSum / Math.max(1, counted) };
}

/**
 * The same for a model that gives everybody the most frequent classes: what a model must beat. O(D log D + examples ·
 * (k + excluded)).
 * @param frequencies how often each class occurred in training.
 */
export async function popularityBaseline<Batches extends EvaluationBatches>(
  frequencies: ArrayLike<number>,
  batches: Batches,
  options: MultiLabelEvaluationOptions<EvaluatedBatch<Batches>>,
): Promise<MultiLabelReport> {
  const order = Int32Array.from({ length: frequencies.length }, (_, k) => k).sort(
    (a, b) => frequencies[b]! - frequencies[a]! || a - b,
  );
  const collector = new MultiLabelCollector(options);
  await eachBatch(batches, options, (batch, count) => {
    const exclude = options.exclude?.(batch);
    for (let example = 0; example < count; example++) {
      const left = new Set(exclude === undefined ? [] : rightClasses(exclude, example));
      const best: number[] = [];
      for (let place = 0; place < order.length && best.length < collector.depth; place++) {
        if (!left.has(order[place]!)) best.push(order[place]!);
      }
      collector.add(best, rightClasses(batch.targets, example));
    }
    return Promise.resolve();
  });
  return { ...collector.metrics(), loss: undefined };
}

async function eachBatch<Batches extends EvaluationBatches>(
  batches: Batches,
  { limit = Infinity, signal, onProgress }: MultiLabelEvaluationOptions<EvaluatedBatch<Batches>>,
  visit: (batch: EvaluatedBatch<Batches>, count: number) => Promise<void>,
): Promise<void> {
  const total = Math.min(limit, batches.examplesPerEpoch);
  for (let examples = 0; examples < total;) {
    signal?.throwIfAborted();
    const batch = (await batches.next()) as EvaluatedBatch<Batches>;
    const count = Math.min(batch.size, total - examples);
    await visit(batch, count);
    examples += count;
    onProgress?.(examples, total);
  }
}

/** The distinct classes of a row. */
function rightClasses({ offsets, indices }: CsrRows, row: number): number[] {
  return [...new Set(indices.subarray(offsets[row]!, offsets[row + 1]!))];
}
