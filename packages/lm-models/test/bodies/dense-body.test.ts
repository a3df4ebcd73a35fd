import { Tape } from '@vastmax/autodiff';
import { createPlainBackend } from '@vastmax/linalg-core';
import {
  createNetwork,
  DenseBody,
  isModelError,
  loadNetwork,
  outputLayerNames,
  outputLayers,
  topClasses,
  Trainer,
  type DenseBodyOptions,
  type OutputLayerChoice,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { evaluateMultiLabel } from '@vastmax/lm-models/metrics';
import { searchRates } from '@vastmax/lm-models/rates';
import {
  columnCounts,
  columnsByFrequency,
  createDenseRows,
  csrFromLists,
  DenseBatches,
  RandomGenerator,
  renumberColumns,
  singleTargets,
  type DenseRows,
} from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { normals, valuesOf } from '../numbers.ts';
import { captureSnapshot } from '../training/captured-snapshot.ts';
import { gradientErrors, shakeBiases } from './gradient-errors.ts';

const f64 = createPlainBackend({ precision: 'f64' });

function rowsOf(rows: number, columns: number, seed = 4): DenseRows {
  return createDenseRows(rows, columns, normals(rows * columns, seed, 1));
}

async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (isModelError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

describe('a body of dense rows', () => {
  it('without layers gives the vectors, divided by their scale', async () => {
    using body = new DenseBody(f64, { inputs: 3, inputScale: 2 });
    using tape = new Tape(f64);
    const inputs = rowsOf(4, 3);
    const hidden = body.forward(tape, { inputs }, { training: true });
    expect([body.features, body.parameterCount, hidden.rows]).toEqual([3, 0, 4]);
    expect([...(await valuesOf(hidden.value))]).toEqual([...inputs.values].map((value) => value / 2));
  });

  it('allocates nothing once it is warm', () => {
    using body = new DenseBody(f64, { inputs: 3, hidden: [4], layerNorm: true, dropout: 0.5 });
    using tape = new Tape(f64);
    const inputs = rowsOf(4, 3);
    const step = (): number => {
      tape.reset();
      tape.backward(body.forward(tape, { inputs }, { training: true }));
      return f64.memory().bytes;
    };
    step();
    const warm = step();
    expect([step(), step()]).toEqual([warm, warm]);
  });

  it.each<Partial<DenseBodyOptions>>([
    { hidden: [4], activation: 'tanh' },
    { hidden: [4, 5], activation: 'gelu', layerNorm: true },
    { hidden: [4, 5], activation: 'sigmoid', layerNorm: true, dropout: 0.4, inputDropout: 0.3, inputScale: 0.5 },
  ])('has the gradients of central differences: %j', async (options) => {
    using body = new DenseBody(f64, { inputs: 3, ...options });
    shakeBiases(body);
    const errors = await gradientErrors(
      body,
      { inputs: rowsOf(6, 3) },
      csrFromLists([[0], [1], [2], [1], [0], [2]], 3),
    );
    expect(errors.length).toBe((options.hidden?.length ?? 0) * (options.layerNorm === true ? 3 : 2));
    for (const error of errors) expect(error).toBeLessThan(2e-6);
  });

  it('refuses what does not fit', async () => {
    using body = new DenseBody(f64, { inputs: 3 });
    using tape = new Tape(f64);
    expect(await messageOf(() => body.forward(tape, { inputs: rowsOf(2, 4) }))).toBe(
      'bad-option: dense model: vectors of 4 numbers, its own have 3',
    );
    const half = createDenseRows(1, 3, new Uint16Array(3));
    expect(await messageOf(() => body.forward(tape, { inputs: half }))).toContain('half precision');
    expect(await messageOf(() => new DenseBody(f64, { inputs: 3, inputScale: 0 }))).toContain('inputScale');
    expect(await messageOf(() => new DenseBody(f64, { inputs: 3, hidden: [0] }))).toContain('hidden layer 1');
    using other = new DenseBody(f64, { inputs: 3, inputScale: 2 });
    expect(await messageOf(() => body.restore(other.state()))).toContain("'inputScale' is 2 in the checkpoint, 1 in");
  });
});

/** Vectors around one of 12 centres, the first classes more often. */
function clusters(examples: number): { readonly inputs: DenseRows; readonly targets: ReturnType<typeof csrFromLists> } {
  const random = new RandomGenerator(3);
  const centres = normals(12 * 8, 5, 1);
  const classes = Array.from({ length: examples }, () => Math.min(random.integer(12), random.integer(12)));
  const values = Float32Array.from(
    { length: examples * 8 },
    (_, i) => centres[classes[Math.floor(i / 8)]! * 8 + (i % 8)]! + 0.3 * random.normal(),
  );
  const targets = singleTargets(Int32Array.from(classes), 12);
  const order = columnsByFrequency(columnCounts(targets));
  return { inputs: createDenseRows(examples, 8, values), targets: renumberColumns(targets, order) };
}

const data = clusters(800);
const frequencies = columnCounts(data.targets);
const adam: TrainingOptions = { bodyRate: 0.01, outputRate: 1, optimizer: 'adam', schedule: 'linear', examples: 6400 };

function choiceOf(kind: string): OutputLayerChoice {
  const defaults = outputLayers.find(({ name }) => name === kind)?.defaults ?? {};
  const loss = { name: 'z-loss', options: { a: 1, b: 2 } };
  return {
    ...defaults,
    kind,
    initialScale: 0.01,
    seed: 2,
    ...(kind === 'factored' ? { loss } : {}),
  } as OutputLayerChoice;
}

async function finish(trainer: { run(): AsyncGenerator<unknown> }): Promise<void> {
  const events = trainer.run();
  while ((await events.next()).done !== true);
}

describe('a network over dense rows', () => {
  it.each(outputLayerNames)('learns with the %s output layer what frequencies cannot know', async (kind) => {
    const output = choiceOf(kind);
    using network = await createNetwork(
      f64,
      { inputs: 8, frequencies },
      { body: { kind: 'dense', hidden: [16], activation: 'tanh' }, output },
    );
    using trainer = new Trainer(network, new DenseBatches({ ...data, batchSize: 32, seed: 1 }), adam);
    await finish(trainer);
    const { atK } = await evaluateMultiLabel(network, new DenseBatches({ ...data, batchSize: 64 }), { ks: [1] });
    // The most frequent class is in a sixth.
    expect(atK[0]?.precision).toBeGreaterThan(0.5);
  });

  it('goes on bit for bit from a snapshot, which holds all that loading needs', async () => {
    const sizes = { inputs: 8, frequencies };
    const options = {
      body: { kind: 'dense', hidden: [6], layerNorm: true, dropout: 0.2, inputDropout: 0.1, inputScale: 3 },
      output: choiceOf('full'),
    } as const;
    const batches = (): DenseBatches =>
      new DenseBatches({ ...data, batchSize: 32, seed: 1, blocks: { rows: 16, count: 4 } });
    using whole = await createNetwork(f64, sizes, options);
    using first = new Trainer(whole, batches(), { ...adam, examples: 1600 });
    await finish(first);
    using interrupted = await createNetwork(f64, sizes, options);
    using half = new Trainer(interrupted, batches(), { ...adam, examples: 1600 });
    const stop = { aborted: false, throwIfAborted: () => undefined, reason: undefined };
    for await (const event of half.run(stop)) if (event.type === 'epoch' && event.epoch === 0) stop.aborted = true;
    const saved = await captureSnapshot(half.snapshot());
    using loaded = await loadNetwork(f64, saved, { kind: 'dense' });
    using second = new Trainer(loaded, batches(), { ...adam, examples: 1600 });
    await second.restore(saved);
    await finish(second);
    const inputs = rowsOf(3, 8);
    expect(await valuesOf(loaded.computeHidden({ inputs }))).toEqual(await valuesOf(whole.computeHidden({ inputs })));
    const scoresOf = async (network: typeof whole): Promise<unknown> =>
      await topClasses(network.output, network.computeHidden({ inputs }), 5);
    expect(await scoresOf(loaded)).toEqual(await scoresOf(whole));
  });

  it('has its rates searched, with vectors as they are and classes numbered anew', async () => {
    using network = await createNetwork(
      f64,
      { inputs: 8, frequencies: Float64Array.of(...frequencies, 0, 0, 0) },
      { body: { kind: 'dense' }, output: choiceOf('full') },
    );
    const targets = { ...data.targets, columns: 15 };
    const batches = new DenseBatches({ ...data, targets, batchSize: 8, seed: 1 });
    const before = batches.cursor();
    const found = await searchRates(network, batches, { ...adam, outputRate: 1e-4 }, { search: ['outputRate'] });
    expect(found?.rates.outputRate).toBeGreaterThan(1e-4);
    expect(batches.cursor()).toEqual(before);
  });
});
