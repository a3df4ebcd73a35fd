import { createPlainBackend, memoryDifference, read } from '@vastmax/linalg-core';
import { predictNextWords, Trainer, type TrainingOptions, type TrainingProgress } from '@vastmax/lm-models';
import { evaluateRanking, unigramBaseline } from '@vastmax/lm-models/metrics';
import type { NgramBatches } from '@vastmax/sparse-data';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { captureSnapshot } from './captured-snapshot.ts';
import { abortedDuringStep, eventsOf } from './run-training.ts';
import { createToyModel, toyBatches, toyTokens, toyTraining, toyVocabulary } from './toy-language.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Milliseconds that pass at each look at the clock. */
function stubClock(milliseconds: number): void {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += milliseconds));
}

describe('training', () => {
  // The spherical softmax, blind to the sign of its outputs, learns this language slowest.
  it.each<[string, number]>([
    ['z-loss', 0.75],
    ['squared-error', 0.75],
    ['taylor-softmax', 0.75],
    ['spherical-softmax', 0.25],
  ])('learns the toy language with the %s: top-1 of at least %d on another text', async (loss, top1) => {
    using model = await createToyModel(createPlainBackend(), loss);
    const heldOut = (): NgramBatches => toyBatches({ examples: 500, text: 2, shuffle: false });
    const before = await evaluateRanking(model, heldOut());
    using trainer = new Trainer(model, toyBatches(), toyTraining(loss, { examples: 15_000 }));
    const progress = (await eventsOf(trainer)).filter((event) => event.type === 'progress');
    expect(progress[progress.length - 1]!.loss).toBeLessThan(progress[0]!.loss);
    const after = await evaluateRanking(model, heldOut());
    const baseline = unigramBaseline(toyVocabulary, toyTokens(500, 2));
    expect(baseline.topAccuracy[1]).toBeLessThan(0.08);
    expect(after.topAccuracy[1]).toBeGreaterThan(top1);
    expect(after.meanReciprocalRank).toBeGreaterThan(2 * baseline.meanReciprocalRank);
    expect(after.loss).toBeLessThan(Number(before.loss));
  });
});

describe('events of a run', () => {
  it('are progress every 50 steps and at the end, the ends of epochs, and finished', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    // 1000 examples an epoch: 31 minibatches of 32 and one of 8; 2600 examples end in step 82.
    using trainer = new Trainer(model, toyBatches({ examples: 1000 }), toyTraining('z-loss', { examples: 2600 }));
    const events = await eventsOf(trainer);
    expect(
      events.map((event) =>
        event.type === 'epoch' ? [event.type, event.step, event.epoch] : [event.type, event.step, event.examples],
      ),
    ).toEqual([
      ['epoch', 32, 0],
      ['progress', 50, 1576],
      ['epoch', 64, 1],
      ['progress', 83, 2608],
      ['finished', 83, 2608],
    ]);
    expect([trainer.step, trainer.examples]).toEqual([83, 2608]);
    for (const event of events) {
      if (event.type !== 'progress') continue;
      expect(event.totalExamples).toBe(2600);
      expect(event.loss).toBeGreaterThan(0);
      expect(event.examplesPerSecond).toBeGreaterThan(0);
      expect(event.progress).toBeCloseTo(Math.min(1, event.examples / 2600), 12);
      // The rates are those of the step just done, whose progress was that of the examples before it.
      const before = (event.examples - 32) / 2600;
      expect(event.bodyRate).toBeCloseTo(2 * (1 - 0.95 * before), 10);
      expect(event.outputRate).toBeCloseTo(0.2 * (1 - 0.95 * before), 10);
    }
  });

  it('report the mean loss since the last report', async () => {
    using model = await createToyModel(createPlainBackend({ precision: 'f64' }), 'squared-error');
    const losses: number[] = [];
    const { output } = model;
    const step = output.step.bind(output);
    output.step = async (hidden, targets, options) => {
      const result = await step(hidden, targets, options);
      losses.push(...(await read(result.losses)));
      return result;
    };
    using trainer = new Trainer(model, toyBatches(), toyTraining('squared-error', { examples: 2400 }));
    const reports = (await eventsOf(trainer)).filter((event) => event.type === 'progress');
    expect(reports).toHaveLength(2);
    expect(losses).toHaveLength(2400);
    for (const [place, { loss }] of reports.entries()) {
      const own = losses.slice(place * 1600, (place + 1) * 1600);
      expect(loss).toBeCloseTo(own.reduce((sum, value) => sum + value, 0) / own.length, 10);
    }
  });
});

describe('an aborted run', () => {
  it('finishes the step under way, says so, and leaves a model that evaluates and trains on', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    const batches = toyBatches();
    using trainer = new Trainer(model, batches, toyTraining('z-loss', { examples: 2400 }));
    const events = await eventsOf(trainer, abortedDuringStep(batches, 37));
    expect(events).toEqual([{ type: 'interrupted', step: 37, examples: 37 * 32 }]);
    expect(batches.cursor().position).toBe(37 * 32);
    const metrics = await evaluateRanking(model, toyBatches({ shuffle: false }), { limit: 100 });
    expect(metrics.loss).toBeGreaterThan(0);
    const rest = await eventsOf(trainer);
    expect(rest.at(-1)).toMatchObject({ type: 'finished', step: 75, examples: 2400 });
  });

  it('takes no step when the signal was aborted before', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss'));
    expect(await eventsOf(trainer, AbortSignal.abort())).toEqual([{ type: 'interrupted', step: 0, examples: 0 }]);
  });

  it('hears of a signal from a timer although every kernel is done when it is called', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 64_000 }));
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort();
    }, 1);
    const events = await eventsOf(trainer, controller.signal);
    clearTimeout(timer);
    expect(events.at(-1)?.type).toBe('interrupted');
  });
});

describe('maximumSeconds', () => {
  it('ends training, and the schedule runs by time', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 1e9, maximumSeconds: 20 }));
    stubClock(25);
    const events = await eventsOf(trainer);
    const finished = events[events.length - 1]!;
    expect(finished).toMatchObject({ type: 'finished' });
    if (finished.type === 'finished') {
      expect(finished.seconds).toBeGreaterThanOrEqual(20);
      expect(finished.seconds).toBeLessThan(20.5);
    }
    const reports = events.filter((event): event is TrainingProgress => event.type === 'progress');
    expect(reports.length).toBeGreaterThan(2);
    for (const { seconds, progress, bodyRate, outputRate } of reports) {
      expect(progress).toBeCloseTo(seconds / 20, 10);
      // The step's own look at the clock was one or two before the report's.
      const factor = 1 - 0.95 * progress;
      expect(bodyRate / 2).toBeGreaterThanOrEqual(factor);
      expect(bodyRate / 2).toBeLessThan(factor + 0.02);
      expect(outputRate).toBeCloseTo(bodyRate / 10, 12);
    }
  });

  it('leaves out the time that the caller takes at an event', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss');
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 6400 }));
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 1));
    let total = 0;
    for await (const event of trainer.run()) {
      now += 1e6;
      if (event.type === 'finished') total = event.seconds;
    }
    expect(total).toBeGreaterThan(0.2);
    expect(total).toBeLessThan(5);
  });
});

describe('a trainer', () => {
  it.each(['sgd', 'adam'])('creates no handle in 300 steps after warm-up, with %s', async (optimizer) => {
    const backend = createPlainBackend();
    const empty = backend.memory();
    {
      using model = await createToyModel(backend, 'z-loss', { dropout: 0.1 });
      const rates = { outputRate: 1e-5, bodyRate: optimizer === 'adam' ? 1e-3 : 1 };
      const batches = toyBatches({ examples: 1001, batchSize: 64 });
      using trainer = new Trainer(model, batches, toyTraining('z-loss', { optimizer, examples: 1e6, ...rates }));
      await eventsOf(trainer, abortedDuringStep(batches, 130));
      const warm = backend.memory();
      await eventsOf(trainer, abortedDuringStep(batches, 300));
      expect(trainer.step).toBe(430);
      // Closed generations keep their maps for a while, so there must be none here.
      expect(model.output.state().configuration['generation']).toBe(0);
      expect(memoryDifference(backend.memory(), warm)).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
    }
    expect(backend.memory()).toEqual(empty);
  });

  it('keeps few maps however many generations are closed', async () => {
    const backend = createPlainBackend();
    using model = await createToyModel(backend, 'squared-error');
    const batches = toyBatches({ batchSize: 64 });
    using trainer = new Trainer(
      model,
      batches,
      toyTraining('squared-error', { outputRate: 0.05, schedule: 'constant', examples: 1e6 }),
    );
    const generation = (): number => Number(model.output.state().configuration['generation']);
    await eventsOf(trainer, abortedDuringStep(batches, 700));
    const [warm, closed] = [backend.memory(), generation()];
    await eventsOf(trainer, abortedDuringStep(batches, 500));
    const newlyClosed = generation() - closed;
    expect(newlyClosed).toBeGreaterThan(50);
    // Two matrices a map, of which some are kept in reserve: nowhere near one map for each closing.
    expect(memoryDifference(backend.memory(), warm).matrices).toBeLessThan(newlyClosed / 2);
  });

  it('draws dropout masks in training and none in evaluation', async () => {
    using model = await createToyModel(createPlainBackend(), 'z-loss', { dropout: 0.2 });
    const drawn = (): unknown => model.body.state().configuration['dropoutRandom'];
    const start = drawn();
    await evaluateRanking(model, toyBatches({ shuffle: false }), { limit: 50 });
    expect(drawn()).toEqual(start);
    using trainer = new Trainer(model, toyBatches(), toyTraining('z-loss', { examples: 64 }));
    await eventsOf(trainer);
    expect(drawn()).not.toEqual(start);
  });

  it('evaluates between steps without changing what training does', async () => {
    const finalTensors = async (evaluating: boolean): Promise<unknown> => {
      using model = await createToyModel(createPlainBackend(), 'spherical-softmax', { dropout: 0.2 });
      using trainer = new Trainer(
        model,
        toyBatches(),
        toyTraining('spherical-softmax', { examples: 4800, optimizer: 'momentum', bodyRate: 1 }),
      );
      for await (const event of trainer.run()) {
        if (evaluating && event.type === 'progress') {
          await evaluateRanking(model, toyBatches({ shuffle: false, batchSize: 50 }), { limit: 70 });
          await predictNextWords(model, toyVocabulary, [['w1']], { k: 3, paddingWord: 'w0' });
        }
      }
      return (await captureSnapshot(trainer.snapshot())).tensors;
    };
    expect(await finalTensors(true)).toEqual(await finalTensors(false));
  });

  it.each<[Partial<TrainingOptions>, string]>([
    [{ bodyRate: -1 }, 'trainer: bodyRate must be a finite number of at least 0, got -1'],
    [{ outputRate: Number.NaN }, 'trainer: outputRate must be a finite number of at least 0, got NaN'],
    [{ examples: 0 }, 'trainer: examples must be a whole number of at least 1, got 0'],
    [{ examples: 2.5 }, 'trainer: examples must be a whole number of at least 1, got 2.5'],
    [{ maximumSeconds: 0 }, 'trainer: maximumSeconds must be above 0, got 0'],
    [{ optimizer: 'lbfgs' }, "no optimizer is called 'lbfgs'; there are sgd, momentum, adagrad, adam"],
    [{ schedule: 'warm' }, "no schedule is called 'warm'; there are constant, linear, cosine"],
  ])('refuses %j and leaves nothing behind', async (changes, message) => {
    const backend = createPlainBackend();
    using model = await createToyModel(backend, 'z-loss');
    const before = backend.memory();
    expect(() => new Trainer(model, toyBatches(), toyTraining('z-loss', changes))).toThrow(message);
    expect(backend.memory()).toEqual(before);
  });
});
