/**
 * Every kind of model learns what its baseline cannot know, with every output layer, and goes on bit for bit from a
 * snapshot.
 */
import { matmul, type Tape, type Variable } from '@vastmax/autodiff';
import { createMatrixFrom, createPlainBackend, write, type Backend } from '@vastmax/linalg-core';
import {
  bagModelShape,
  createNetwork,
  createOutputLayer,
  loadNetwork,
  Network,
  networkOptionsFrom,
  outputLayerNames,
  Parameter,
  topClasses,
  Trainer,
  type BagNetwork,
  type BatchSource,
  type Body,
  type ModelParameters,
  type NetworkOptions,
  type AnyOutputChoice,
  type OutputLayerChoice,
  type OutputLayerEntry,
  type TrainingBatch,
  type TrainingOptions,
} from '@vastmax/lm-models';
import { evaluateMultiLabel, evaluateRanking, popularityBaseline, readEmbeddings } from '@vastmax/lm-models/metrics';
import {
  columnCounts,
  columnsByFrequency,
  csrFromLists,
  RandomGenerator,
  renumberColumns,
  SequenceBatches,
  SessionBatches,
  SetBatches,
  singleTargets,
  SparseBatches,
  splitSets,
  WindowBatches,
  type CsrRows,
  type SparseBatch,
} from '@vastmax/sparse-data';
import { createFullSoftmaxLayer } from '@vastmax/softmax-losses';
import { describe, expect, it } from 'vitest';
import { captureSnapshot } from '../training/captured-snapshot.ts';
import { matrixTensor, restoreMatrix, type ModuleState } from '@vastmax/linalg-core/state';

const full: OutputLayerChoice = { kind: 'full', initialScale: 0.1, seed: 2 };
const adam: TrainingOptions = { bodyRate: 0.01, outputRate: 1, optimizer: 'adam', schedule: 'linear', examples: 4000 };

async function finish(trainer: { run(): AsyncGenerator<unknown> }): Promise<void> {
  const events = trainer.run();
  while ((await events.next()).done !== true);
}

/**
 * Documents of four topics out of 40 words; the labels of topic t are 3t, 3t + 1 and 3t + 2, the first of them always.
 */
function documents(count: number, seed: number): { readonly inputs: CsrRows; readonly targets: CsrRows } {
  const random = new RandomGenerator(seed);
  const words: number[][] = [];
  const labels: number[][] = [];
  for (let i = 0; i < count; i++) {
    const topic = random.integer(4);
    words.push(
      Array.from({ length: 6 }, () => (random.uniform() < 0.3 ? random.integer(40) : 10 * topic + random.integer(10))),
    );
    labels.push([
      3 * topic,
      ...(random.uniform() < 0.5 ? [3 * topic + 1] : []),
      ...(random.uniform() < 0.5 ? [3 * topic + 2] : []),
    ]);
  }
  return { inputs: csrFromLists(words, 40), targets: csrFromLists(labels, 12) };
}

function createClassifier(output: OutputLayerChoice, targets: CsrRows, seed = 1): Promise<BagNetwork> {
  const options: NetworkOptions<'bag'> = {
    body: { kind: 'bag', embedding: 8, ...bagModelShape('classifier'), dropout: 0.1, seed },
    output,
  };
  return createNetwork(createPlainBackend(), { inputs: 40, frequencies: columnCounts(targets) }, options);
}

const layers: Readonly<Record<string, object>> = {
  factored: { loss: { name: 'z-loss', options: { a: 0.1, b: 10 } } },
  hybrid: { headSize: 4 },
  sampled: { samples: 8, proposal: 'unigram' },
  nce: { samples: 8, proposal: 'unigram' },
  negative: { samples: 8, proposal: 'uniform' },
  rf: { samples: 6, frequencies: 32 },
  quadratic: { samples: 6 },
};

describe('a multi-label classifier of sparse inputs', () => {
  const order = columnsByFrequency(columnCounts(documents(500, 1).targets));
  const documentsByFrequency = (count: number, seed: number): ReturnType<typeof documents> => {
    const { inputs, targets } = documents(count, seed);
    return { inputs, targets: renumberColumns(targets, order) };
  };
  const train = documentsByFrequency(500, 1);
  const test = documentsByFrequency(200, 2);

  it.each(outputLayerNames)('learns with the %s output layer what popularity cannot know', async (kind) => {
    const output = { kind, initialScale: 0.1, seed: 2, ...layers[kind] } as OutputLayerChoice;
    using network = await createClassifier(output, train.targets);
    const batches = new SparseBatches({ ...train, batchSize: 25, seed: 3, targetWeights: 'shares' });
    using trainer = new Trainer(network, batches, {
      ...adam,
      outputRate: kind === 'factored' ? 0.1 : kind === 'rf' ? 4 : 0.5,
    });
    await finish(trainer);
    const testBatches = (): SparseBatches => new SparseBatches({ ...test, batchSize: 64, shuffle: false });
    const learned = (await evaluateMultiLabel(network, testBatches(), { ks: [1, 3] })).atK[0]!;
    const popular = (await popularityBaseline(columnCounts(train.targets), testBatches(), { ks: [1, 3] })).atK[0]!;
    expect(popular.precision).toBeLessThan(0.4);
    expect(learned.precision).toBeGreaterThan(0.7);
  });

  it('goes on bit for bit from a snapshot, which holds all that loading needs', async () => {
    const batches = (seed: number): SparseBatches => new SparseBatches({ ...train, batchSize: 40, seed });
    using network = await createClassifier(full, train.targets);
    using first = new Trainer(network, batches(3), { ...adam, examples: 1200 });
    await finish(first);
    const saved = await captureSnapshot(first.snapshot());
    expect(networkOptionsFrom(saved.configuration).body.kind).toBe('bag');
    using longer = new Trainer(network, batches(3), { ...adam, examples: 2000 });
    await longer.restore(saved);
    await finish(longer);
    const expected = await captureSnapshot(longer.snapshot());

    using loaded = await loadNetwork(createPlainBackend(), saved, { kind: 'bag' });
    using resumed = new Trainer(loaded, batches(99), { ...adam, examples: 2000 });
    await resumed.restore(saved);
    await finish(resumed);
    const actual = await captureSnapshot(resumed.snapshot());
    expect(actual.tensors).toEqual(expected.tensors);
    expect(actual.configuration).toEqual(expected.configuration);
    expect(actual.tensors.get('body/embeddings')).not.toEqual(saved.tensors.get('body/embeddings'));

    await expect(loadNetwork(createPlainBackend(), saved, { kind: 'recurrent' })).rejects.toMatchObject({
      code: 'state-mismatch',
      message: "the checkpoint's network has the body 'bag', 'recurrent' was asked for",
    });
    await expect(loadNetwork(createPlainBackend(), { ...saved, configuration: { model: {} } })).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining("the checkpoint's configuration describes no network"),
    });
    const module = (name: string): ReturnType<typeof saved.module> =>
      name === 'sizes' ? { configuration: { inputs: 40 }, tensors: [] } : saved.module(name);
    await expect(loadNetwork(createPlainBackend(), { ...saved, module })).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining('40 inputs and no frequencies'),
    });
  });

  it('trains the same on minibatches that are promised', async () => {
    const source = (): SparseBatches => new SparseBatches({ ...train, batchSize: 40, seed: 3 });
    const weightsAfter = async (batches: BatchSource<SparseBatch>): Promise<unknown> => {
      using network = await createClassifier(full, train.targets);
      using trainer = new Trainer(network, batches, { ...adam, examples: 400 });
      await finish(trainer);
      return (await captureSnapshot(trainer.snapshot())).tensors;
    };
    const direct = source();
    const promised: BatchSource<SparseBatch> = {
      examplesPerEpoch: direct.examplesPerEpoch,
      next: () =>
        new Promise((resolve) => {
          setTimeout(() => {
            resolve(direct.next());
          }, 0);
        }),
      cursor: () => direct.cursor(),
      seek: (cursor) => {
        direct.seek(cursor);
      },
    };
    expect(await weightsAfter(promised)).toEqual(await weightsAfter(source()));
  });

  it('leaves nothing behind when its output layer cannot be made', async () => {
    const backend = createPlainBackend();
    const before = backend.memory();
    const options = { body: { kind: 'bag', embedding: 4 }, output: { ...full, kind: 'softmax' as 'full' } } as const;
    await expect(createNetwork(backend, { inputs: 5, frequencies: Float64Array.of(1, 1) }, options)).rejects.toThrow(
      "no output layer is called 'softmax'",
    );
    expect(backend.memory()).toEqual(before);
  });
});

/** A body of one's own: one linear layer over given numbers, or the features themselves. */
interface DenseBatch extends TrainingBatch {
  readonly numbers: Float64Array;
}

class LinearBody implements Body<DenseBatch> {
  readonly backend: Backend;
  readonly features: number;
  readonly weights: Parameter;
  readonly parameters: ModelParameters;

  constructor(backend: Backend, inputs: number, features: number) {
    this.backend = backend;
    this.features = features;
    const start = Float64Array.from({ length: inputs * features }, (_, i) => Math.sin(i + 1));
    this.weights = new Parameter('weights', createMatrixFrom(backend, inputs, features, start));
    this.parameters = { matrices: [this.weights], tables: [] };
  }

  get parameterCount(): number {
    return this.weights.value.rows * this.features;
  }

  forward(tape: Tape, { numbers, size }: DenseBatch): Variable {
    const x = tape.allocate(size, this.weights.value.rows);
    write(numbers, x);
    return matmul(tape.constant(x), this.weights.use(tape));
  }

  state(): ModuleState {
    return { configuration: {}, tensors: [matrixTensor('weights', this.weights.value)] };
  }

  async restore(state: ModuleState): Promise<void> {
    await restoreMatrix(state, 'weights', this.weights.value);
  }

  [Symbol.dispose](): void {
    this.weights[Symbol.dispose]();
  }
}

describe('a body of your own', () => {
  it('trains, saves and restores with any output layer, and reads no prompts', async () => {
    const backend = createPlainBackend();
    const random = new RandomGenerator(4);
    /** The class is the place of the largest of five numbers. */
    const batches: BatchSource<DenseBatch> = {
      examplesPerEpoch: 1000,
      next: () => {
        const numbers = Float64Array.from({ length: 5 * 20 }, () => random.normal());
        const classes = Int32Array.from({ length: 20 }, (_, i) => {
          const row = numbers.subarray(5 * i, 5 * (i + 1));
          return row.indexOf(Math.max(...row));
        });
        return { numbers, size: 20, targets: singleTargets(classes, 5), epoch: 0, endOfEpoch: false };
      },
      cursor: () => ({}),
      seek: () => undefined,
    };
    const sizes = { inputs: 5, frequencies: new Float64Array(5).fill(1) };
    const create = async (): Promise<Network<DenseBatch, LinearBody>> => {
      const body = new LinearBody(backend, 5, 4);
      const output = await createOutputLayer(backend, { features: 4, frequencies: sizes.frequencies }, full);
      return new Network({ body: { features: 4 }, output: full }, sizes, body, output);
    };
    using network = await create();
    using trainer = new Trainer(network, batches, { ...adam, examples: 8000 });
    await finish(trainer);
    const saved = await captureSnapshot(trainer.snapshot());
    expect(saved.configuration['model']).toEqual({ body: { features: 4 }, output: full });
    const test = await batches.next();
    const best = await topClasses(network.output, network.computeHidden(test), 1);
    let right = 0;
    for (const [i, found] of best.classes.entries()) if (found === test.targets.indices[i]) right++;
    expect(right).toBeGreaterThan(14);
    using restored = await create();
    await restored.restore(saved);
    expect((await topClasses(restored.output, restored.computeHidden(test), 1)).classes).toEqual(best.classes);
    expect(() => restored.computePromptHidden([[1]])).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        message: expect.stringContaining('this network reads no prompts'),
      }),
    );
  });
});

describe('an output layer of your own', () => {
  interface SmoothedChoice extends AnyOutputChoice {
    readonly kind: 'smoothed';
    readonly smoothing: number;
  }

  it('is made by its entry, trains, and is loaded by it', async () => {
    const entry: OutputLayerEntry<SmoothedChoice> = {
      name: 'smoothed',
      description: 'log-softmax with smoothed labels',
      create: (backend, { features, frequencies }, { smoothing, initialScale, seed }) =>
        createFullSoftmaxLayer(backend, {
          classes: frequencies.length,
          features,
          labelSmoothing: smoothing,
          initialScale,
          seed,
        }),
      options: ['smoothing'],
      defaults: {},
      training: { lossOptions: {}, initialScale: 0.1, outputRate: 1, bodyRate: 1 },
      cost: { step: '8mDd', growth: 'D', operations: ({ batch, classes, width }) => 8 * batch * classes * width },
      abilities: {
        probabilities: 'yes',
        targetWeights: () => 'shares',
        overRanks: false,
        rowsOverRanks: 'no',
        addsClasses: false,
      },
    };
    const inputs = csrFromLists([[0], [1], [2], [3]], 4);
    const batches = (): SparseBatches => new SparseBatches({ inputs, targets: inputs, batchSize: 4, seed: 1 });
    using network = await createNetwork(
      createPlainBackend(),
      { inputs: 4, frequencies: columnCounts(inputs) },
      {
        body: { kind: 'bag', embedding: 4 },
        output: { kind: 'smoothed', smoothing: 0.1, initialScale: 0.1, seed: 1 } satisfies SmoothedChoice,
      },
      entry.create,
    );
    using trainer = new Trainer(network, batches(), { ...adam, bodyRate: 0.05, examples: 1200 });
    await finish(trainer);
    const report = await evaluateMultiLabel(network, batches(), { ks: [1] });
    expect(report.atK[0]!.precision).toBe(1);
    const saved = await captureSnapshot(trainer.snapshot());
    await expect(loadNetwork(createPlainBackend(), saved)).rejects.toThrow("no output layer is called 'smoothed'");
    using loaded = await loadNetwork(createPlainBackend(), saved, {
      kind: 'bag',
      createOutput: (backend, sizes, choice) =>
        entry.create(backend, sizes, choice as AnyOutputChoice as SmoothedChoice),
    });
    expect((await evaluateMultiLabel(loaded, batches(), { ks: [1] })).loss).toBe(report.loss);
  });
});

describe('an autoencoder of sets', () => {
  it('completes sets from the part it is shown', async () => {
    const random = new RandomGenerator(5);
    // Sets lie within one of five groups of twelve elements.
    const sets = csrFromLists(
      Array.from({ length: 300 }, () => {
        const group = random.integer(5);
        return Array.from({ length: 12 }, (_, i) => 12 * group + i).filter(() => random.uniform() < 0.6);
      }),
      60,
    );
    const { shown, hidden } = splitSets(sets, { hidden: 0.3, seed: 1 });
    const frequencies = columnCounts(shown);
    const output: OutputLayerChoice = {
      kind: 'factored',
      loss: { name: 'taylor-softmax', options: {} },
      initialScale: 0.1,
      seed: 2,
    };
    using network = await createNetwork(
      createPlainBackend(),
      { inputs: 60, frequencies },
      { body: { kind: 'bag', embedding: 10, ...bagModelShape('autoencoder') }, output },
    );
    using trainer = new Trainer(network, new SetBatches({ sets: shown, shown: 0.6, batchSize: 30, seed: 2 }), adam);
    await finish(trainer);
    const batches = (): SparseBatches =>
      new SparseBatches({ inputs: shown, targets: hidden, batchSize: 64, shuffle: false });
    const options = { ks: [1, 2], exclude: ({ inputs }: { readonly inputs: CsrRows }): CsrRows => inputs };
    const learned = (await evaluateMultiLabel(network, batches(), options)).atK[1]!;
    const popular = (await popularityBaseline(frequencies, batches(), options)).atK[1]!;
    expect(popular.precision).toBeLessThan(0.25);
    // About two of the seven elements of a group that are not shown were hidden, so more than that no model can know.
    expect(learned.precision).toBeGreaterThan(0.3);
    expect(learned.recall).toBeGreaterThan(1.7 * popular.recall);
  });
});

describe('word vectors', () => {
  /** Sentences of one of two topics, each with words of its own, and function words of both. */
  function topicText(): Int32Array {
    const random = new RandomGenerator(8);
    return Int32Array.from({ length: 6000 }, (_, i) =>
      random.uniform() < 0.3 ? 16 + random.integer(4) : 8 * (Math.floor(i / 60) % 2) + random.integer(8),
    );
  }

  it.each(['centre', 'context'] as const)(
    'of the same topic become alike when the %s is predicted',
    async (predict) => {
      const tokens = topicText();
      const frequencies = new Float64Array(20);
      for (const token of tokens) frequencies[token]!++;
      const name = predict === 'centre' ? 'cbow' : 'skip-gram';
      using network = await createNetwork(
        createPlainBackend(),
        { inputs: 20, frequencies },
        { body: { kind: 'bag', embedding: 6, ...bagModelShape(name) }, output: full },
      );
      const batches = new WindowBatches({
        tokens,
        classes: 20,
        before: 4,
        after: 4,
        predict,
        batchSize: 50,
        seed: 1,
        drawReach: true,
      });
      using trainer = new Trainer(network, batches, { ...adam, bodyRate: 0.02, examples: 12_000 });
      await finish(trainer);
      const vectors = await readEmbeddings(
        network.body.embeddings.table,
        Int32Array.from({ length: 20 }, (_, i) => i),
      );
      const cosine = (a: number, b: number): number => {
        const [x, y] = [vectors[a]!, vectors[b]!];
        return x.reduce((sum, value, i) => sum + value * y[i]!, 0) / Math.hypot(...x) / Math.hypot(...y);
      };
      const mean = (pairs: readonly (readonly [number, number])[]): number =>
        pairs.reduce((sum, [a, b]) => sum + cosine(a, b), 0) / pairs.length;
      const within: [number, number][] = [];
      const across: [number, number][] = [];
      for (let a = 0; a < 16; a++) for (let b = 0; b < a; b++) (a < 8 === b < 8 ? within : across).push([a, b]);
      expect(mean(within) - mean(across)).toBeGreaterThan(0.8);
    },
  );
});

describe('a recurrent language model', () => {
  /** `s x x x s`: what comes after three fillers is what came before them, which no bigram or trigram knows. */
  function rememberingText(length: number, seed: number): Int32Array {
    const random = new RandomGenerator(seed);
    const tokens: number[] = [];
    while (tokens.length < length) {
      const sign = random.integer(4);
      tokens.push(sign, 4, 5, 6, sign, 7);
    }
    return Int32Array.from(tokens);
  }

  const batches = (text: Int32Array, streams: number): SequenceBatches =>
    new SequenceBatches({ tokens: text, classes: 8, streams, steps: 9, paddingId: 7 });

  it.each(['lstm', 'gru'] as const)('remembers beyond its last words with %s cells', async (cell) => {
    const text = rememberingText(6000, 1);
    using network = await createNetwork(
      createPlainBackend(),
      { inputs: 8, frequencies: new Float64Array(8).fill(1) },
      { body: { kind: 'recurrent', cell, embedding: 8, hidden: [16], dropout: 0.05 }, output: full },
    );
    using trainer = new Trainer(network, batches(text, 10), {
      ...adam,
      bodyRate: 0.02,
      outputRate: 2,
      clipNorm: 5,
      examples: 30_000,
    });
    await finish(trainer);
    const report = await evaluateRanking(network, batches(rememberingText(600, 2), 4));
    expect(report.examples).toBe(600);
    // Of six words five can be known. Without memory the second sign is one in four as well: 4.5 of six, and a
    // perplexity of 1.59.
    expect(report.topAccuracy[1]).toBeGreaterThan(0.82);
    expect(report.perplexity).toBeLessThan(1.45);
  });

  it('goes on bit for bit from a snapshot, its state and dropout included', async () => {
    const text = rememberingText(800, 1);
    const options = {
      body: { kind: 'recurrent', cell: 'gru', embedding: 4, hidden: [5, 4], dropout: 0.2 },
      output: full,
    } as const;
    const sizes = { inputs: 8, frequencies: new Float64Array(8).fill(1) };
    using whole = await createNetwork(createPlainBackend(), sizes, options);
    using uninterrupted = new Trainer(whole, batches(text, 3), { ...adam, schedule: 'constant', examples: 1900 });
    await finish(uninterrupted);
    const expected = await captureSnapshot(uninterrupted.snapshot());
    using part = await createNetwork(createPlainBackend(), sizes, options);
    using stopped = new Trainer(part, batches(text, 3), { ...adam, schedule: 'constant', examples: 1000 });
    await finish(stopped);
    const saved = await captureSnapshot(stopped.snapshot());
    expect([...saved.tensors.keys()].filter((name) => name.includes('carried'))).toEqual([
      'body/carried.0',
      'body/carried.1',
    ]);
    using loaded = await loadNetwork(createPlainBackend(), saved, { kind: 'recurrent' });
    using resumed = new Trainer(loaded, batches(text, 3), { ...adam, schedule: 'constant', examples: 1900 });
    await resumed.restore(saved);
    await finish(resumed);
    expect((await captureSnapshot(resumed.snapshot())).tensors).toEqual(expected.tensors);
  });
});

describe('a next-item recommender', () => {
  /** Users walk along one of three circles of items, now and then one step further. */
  const random = new RandomGenerator(3);
  const sessions = csrFromLists(
    Array.from({ length: 300 }, () => {
      const circle = random.integer(3);
      let place = random.integer(10);
      return Array.from({ length: 3 + random.integer(8) }, () => {
        place = (place + (random.uniform() < 0.15 ? 2 : 1)) % 10;
        return 10 * circle + place;
      });
    }),
    30,
  );
  const sizes = { inputs: 30, frequencies: columnCounts(sessions) };

  it('by the mean of the last items knows where a session goes', async () => {
    using network = await createNetwork(createPlainBackend(), sizes, {
      body: { kind: 'bag', embedding: 12, ...bagModelShape('next-item') },
      output: full,
    });
    const batches = (shuffle: boolean): WindowBatches =>
      new WindowBatches({
        tokens: sessions.indices,
        segments: sessions.offsets,
        classes: 30,
        before: 2,
        after: 0,
        predict: 'centre',
        batchSize: 40,
        shuffle,
      });
    using trainer = new Trainer(network, batches(true), { ...adam, bodyRate: 0.03, outputRate: 2, examples: 12_000 });
    await finish(trainer);
    const report = await evaluateMultiLabel(network, batches(false), { ks: [1, 3] });
    expect((await popularityBaseline(sizes.frequencies, batches(false), { ks: [3] })).atK[0]!.hitRate).toBeLessThan(
      0.2,
    );
    expect(report.atK[1]!.hitRate).toBeGreaterThan(0.8);
    expect((await evaluateRanking(network, batches(false))).topAccuracy[5]).toBeGreaterThan(0.85);
  });

  it('by the session knows it better', async () => {
    using network = await createNetwork(createPlainBackend(), sizes, {
      body: { kind: 'recurrent', cell: 'gru', embedding: 12, hidden: [16] },
      output: full,
    });
    const batches = (shuffle: boolean): SessionBatches =>
      new SessionBatches({ sessions, streams: 8, steps: 6, shuffle });
    using trainer = new Trainer(network, batches(true), { ...adam, bodyRate: 0.02, outputRate: 2, examples: 12_000 });
    await finish(trainer);
    const report = await evaluateRanking(network, batches(false));
    expect(report.examples).toBe(batches(false).examplesPerEpoch);
    expect(report.topAccuracy[1]).toBeGreaterThan(0.7);
  });

  it('ranks one target only where there is one', async () => {
    using network = await createNetwork(createPlainBackend(), sizes, {
      body: { kind: 'bag', embedding: 4 },
      output: full,
    });
    const batches = new SetBatches({ sets: sessions, shown: 0.5, batchSize: 10 });
    await expect(evaluateRanking(network, batches)).rejects.toThrow(
      'evaluateRanking: the examples have several targets; evaluateMultiLabel is for those',
    );
  });
});
