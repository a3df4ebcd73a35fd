/**
 * The data of short trainings that try rates: the first minibatches of a run in its own order, and those after them as
 * held-out ones, with inputs and classes numbered anew so that only those that occur are left.
 *
 * A trial needs a network with fresh weights. One with a row for each of 10⁷ classes takes longer to make than the
 * trial, and so does a copy of its tables. Rows that no example touches change nothing but the sums over all classes,
 * so a trial's network has the rows of the trial's examples alone: its cost does not depend on D.
 */
import {
  SequenceRows,
  singleTargets,
  type CsrRows,
  type DenseBatch,
  type DenseRows,
  type NgramBatch,
  type SequenceBatch,
  type SparseBatch,
} from '@vastmax/sparse-data';
import type { NetworkSizes } from '../network/network.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';
import type { BatchSource } from '../training/training-types.ts';

/** Minibatches that {@link recordTrialData} can number anew. */
export type TrialBatch = NgramBatch | SequenceBatch | SparseBatch | DenseBatch;

export interface TrialData {
  readonly sizes: NetworkSizes;
  /** The run's number of each class. */
  readonly classes: Int32Array;
  readonly training: readonly TrialBatch[];
  /** Examples whose classes all are unknown to `training` are left out. */
  readonly heldOut: readonly TrialBatch[];
  /** Of `training`. */
  readonly examples: number;
}

interface TrialSizes {
  /** Minibatches to train on. */
  readonly training: number;
  /** Minibatches to measure on. */
  readonly heldOut: number;
}

/**
 * Reads the next minibatches, and goes back to where the source was. Both parts together are kept below an epoch, so
 * that no example is in both. O(entries of those minibatches).
 * @returns undefined where an epoch has too few minibatches to divide.
 */
export async function recordTrialData(
  source: BatchSource<TrialBatch>,
  { inputs, frequencies }: NetworkSizes,
  wanted: TrialSizes,
): Promise<TrialData | undefined> {
  const cursor = source.cursor();
  const recorded: TrialBatch[] = [];
  try {
    while (recorded.length < wanted.training + wanted.heldOut) {
      const batch = await source.next();
      recorded.push(copyOf(batch));
      if (batch.endOfEpoch) break;
    }
  } finally {
    source.seek(cursor);
  }
  const heldOut = Math.min(wanted.heldOut, Math.floor(recorded.length / 3));
  if (heldOut === 0) return undefined;
  const training = recorded.slice(0, Math.min(wanted.training, recorded.length - heldOut));
  const held = recorded.slice(training.length, training.length + heldOut);
  const classes = new Numbering(frequencies.length);
  // The columns of dense rows are those of the run.
  const rows = new Numbering(inputs, { keepsAll: recorded.some(isDense) });
  for (const batch of training) classes.add(batch.targets.indices, batch.targets.offsets[batch.size]!);
  for (const batch of [...training, ...held]) rows.add(...inputsOf(batch));
  classes.close();
  rows.close();
  return {
    classes: classes.kept,
    sizes: { inputs: rows.size, frequencies: Float64Array.from(classes.kept, (each) => frequencies[each]!) },
    training: training.map((batch) => renumbered(batch, rows, classes)),
    heldOut: held.map((batch) => renumbered(fromTheStart(batch), rows, classes)).filter(({ size }) => size > 0),
    examples: training.reduce((sum, { size }) => sum + size, 0),
  };
}

/** A layer's choice for the classes of a trial: those of its options that are numbers of classes, counted anew. */
export function outputOfTrial(choice: OutputLayerChoice, classes: Int32Array): OutputLayerChoice {
  const place = (number: number): number => {
    const found = classes.findIndex((each) => each >= number);
    return Math.max(1, Math.min(classes.length - 1, found < 0 ? classes.length : found));
  };
  const { headSize, cutoffs } = choice as { readonly headSize?: number; readonly cutoffs?: readonly number[] };
  const head = headSize === undefined ? undefined : place(headSize);
  const places = cutoffs?.map(place).filter((each, i, all) => each > (all[i - 1] ?? head ?? 0));
  return {
    ...choice,
    ...(head === undefined ? {} : { headSize: head }),
    ...(places === undefined ? {} : { cutoffs: places }),
  } as OutputLayerChoice;
}

/** Endless: after the last minibatch the first again. */
export function repeatBatches(batches: readonly TrialBatch[], examples: number): BatchSource<TrialBatch> {
  let place = 0;
  let epoch = 0;
  return {
    examplesPerEpoch: examples,
    next: () => {
      const batch = batches[place]!;
      place = (place + 1) % batches.length;
      const endOfEpoch = place === 0;
      return { ...batch, epoch: endOfEpoch ? epoch++ : epoch, endOfEpoch };
    },
    cursor: () => ({ place, epoch }),
    seek: () => undefined,
  };
}

/** New numbers for those of n that occur, in their order: classes stay sorted by frequency. O(n) bytes. */
class Numbering {
  readonly #numbers: Int32Array;
  #kept = new Int32Array(0);

  constructor(n: number, { keepsAll = false }: { readonly keepsAll?: boolean } = {}) {
    this.#numbers = new Int32Array(n).fill(keepsAll ? 0 : -1);
  }

  add(values: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#numbers[values[i]!] = 0;
  }

  /** Gives the numbers. */
  close(): void {
    const kept: number[] = [];
    for (let each = 0; each < this.#numbers.length; each++)
      if (this.#numbers[each] === 0) this.#numbers[each] = kept.push(each) - 1;
    this.#kept = Int32Array.from(kept);
  }

  get size(): number {
    return this.#kept.length;
  }

  get kept(): Int32Array {
    return this.#kept;
  }

  /** −1 for one that does not occur. */
  of(value: number): number {
    return this.#numbers[value]!;
  }
}

/** The inputs of a minibatch, and how many of them count. */
function inputsOf(batch: TrialBatch): [values: Int32Array, count: number] {
  if ('contexts' in batch) return [batch.contexts, batch.contexts.length];
  if ('steps' in batch) return [batch.inputs, batch.inputs.length];
  if (isDense(batch)) return [new Int32Array(0), 0];
  return [batch.inputs.indices, batch.inputs.offsets[batch.size]!];
}

function copyOf(batch: TrialBatch): TrialBatch {
  if ('contexts' in batch) {
    const targetIds = batch.targetIds.slice(0, batch.size);
    const targets = singleTargets(targetIds, batch.targets.columns);
    return { ...batch, contexts: batch.contexts.slice(), targetIds, targets };
  }
  if ('steps' in batch) {
    const targetIds = batch.targetIds.slice(0, batch.size);
    return {
      ...batch,
      inputs: batch.inputs.slice(),
      starts: batch.starts.slice(),
      predicted: batch.predicted?.slice(),
      targetIds,
      targets: singleTargets(targetIds, batch.targets.columns),
    };
  }
  const own = { targets: copyOfRows(batch.targets), targetIds: undefined, examples: batch.examples.slice() };
  return isDense(batch)
    ? { ...batch, ...own, inputs: { ...batch.inputs, values: batch.inputs.values.slice() } }
    : { ...batch, ...own, inputs: copyOfRows(batch.inputs) };
}

function isDense(batch: TrialBatch): batch is DenseBatch {
  return !('contexts' in batch) && !('steps' in batch) && !('indices' in batch.inputs);
}

function copyOfRows({ rows, columns, offsets, indices, values }: CsrRows): CsrRows {
  const count = offsets[rows]!;
  return {
    rows,
    columns,
    offsets: offsets.slice(0, rows + 1),
    indices: indices.slice(0, count),
    values: values?.slice(0, count),
  };
}

/** With the new numbers, and without examples that have no known class. */
function renumbered(batch: TrialBatch, inputs: Numbering, classes: Numbering): TrialBatch {
  if ('contexts' in batch) return renumberedNgrams(batch, inputs, classes);
  if ('steps' in batch) return renumberedSequences(batch, inputs, classes);
  const { targets, examples } = batch;
  const rows = Array.from({ length: batch.size }, (_, row) => row).filter((row) =>
    targets.indices.subarray(targets.offsets[row], targets.offsets[row + 1]).some((each) => classes.of(each) >= 0),
  );
  const kept = {
    size: rows.length,
    targets: renumberedRows(targets, rows, classes),
    examples: Int32Array.from(rows, (row) => examples[row]!),
  };
  return isDense(batch)
    ? { ...batch, ...kept, inputs: chosenRows(batch.inputs, rows) }
    : { ...batch, ...kept, inputs: renumberedRows(batch.inputs, rows, inputs) };
}

function chosenRows({ columns, values }: DenseRows, rows: readonly number[]): DenseRows {
  const chosen = values.slice(0, rows.length * columns);
  for (const [place, row] of rows.entries())
    chosen.set(values.subarray(row * columns, (row + 1) * columns), place * columns);
  return { rows: rows.length, columns, values: chosen };
}

/** An evaluation has no state of the minibatches before, and a minibatch without examples is left out. */
function fromTheStart(batch: TrialBatch): TrialBatch {
  return 'steps' in batch ? { ...batch, starts: batch.starts.slice().fill(1, 0, batch.streams) } : batch;
}

function renumberedRows(csr: CsrRows, rows: readonly number[], numbers: Numbering): CsrRows {
  const offsets = new Int32Array(rows.length + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (const [place, row] of rows.entries()) {
    for (let entry = csr.offsets[row]!; entry < csr.offsets[row + 1]!; entry++) {
      const number = numbers.of(csr.indices[entry]!);
      if (number < 0) continue;
      indices.push(number);
      if (csr.values !== undefined) values.push(csr.values[entry]!);
    }
    offsets[place + 1] = indices.length;
  }
  return {
    rows: rows.length,
    columns: numbers.size,
    offsets,
    indices: Int32Array.from(indices),
    values: csr.values === undefined ? undefined : Float64Array.from(values),
  };
}

function renumberedNgrams(batch: NgramBatch, inputs: Numbering, classes: Numbering): NgramBatch {
  const { size, contexts, targetIds } = batch;
  const order = contexts.length / size;
  const rows = Array.from({ length: size }, (_, row) => row).filter((row) => classes.of(targetIds[row]!) >= 0);
  const ids = Int32Array.from(rows, (row) => classes.of(targetIds[row]!));
  const kept = rows.flatMap((row) => [...contexts.subarray(row * order, (row + 1) * order)]);
  return {
    ...batch,
    size: rows.length,
    contexts: Int32Array.from(kept, (each) => inputs.of(each)),
    targetIds: ids,
    targets: singleTargets(ids, classes.size),
  };
}

/** All inputs stay, since the state runs through them. */
function renumberedSequences(batch: SequenceBatch, inputs: Numbering, classes: Numbering): SequenceBatch {
  const { steps, streams, predicted, targetIds, epoch, endOfEpoch } = batch;
  const rows = new SequenceRows(streams, steps, classes.size);
  rows.inputs.set(batch.inputs.map((each) => inputs.of(each)));
  rows.starts.set(batch.starts);
  for (const [example, target] of targetIds.entries()) {
    const number = classes.of(target);
    if (number >= 0) rows.predict(predicted?.[example] ?? example, number);
  }
  return rows.batch(steps, epoch, endOfEpoch);
}
