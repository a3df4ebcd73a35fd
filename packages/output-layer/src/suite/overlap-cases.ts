/**
 * Every ordered pair of a layer's calls, the first started without awaiting it and the second some microtasks later:
 * either the second is rejected as `busy` and changes nothing, or both give exactly, bit for bit, what they give one
 * after the other. The first always gives what it gives alone.
 */
import { isLinalgError, memoryDifference, read, type Matrix } from '@vastmax/linalg-core';
import { isStateError, type ModuleState } from '@vastmax/linalg-core/state';
import { expect } from 'vitest';
import { isOutputLayerError } from '../errors.ts';
import type { OutputLayer, StepResult, TwoPhaseOutputLayer } from '../output-layer.ts';
import { ranksOf, topK } from '../rankings.ts';
import type { LayerCall, LayerUnderTest, OutputLayerCase } from './layer-under-test.ts';
import { createMinibatch, learningRate, placed, request, type Minibatch } from './minibatches.ts';
import { expectRefusal, snapshotOf, stepOn, type LayerSnapshot } from './observations.ts';

/** In microtasks, until both calls have surely ended on a backend that computes at once; and a turn of the event loop. */
const delays = [0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 'macrotask'] as const;
type Delay = (typeof delays)[number];

/**
 * Where numbers cannot be read at once, a call waits for the device after a few microtasks, and nothing of it moves until
 * the event loop turns: later microtasks find it in the same place. The code of the layer before that wait is the same
 * on a backend that computes at once, where every delay is tried.
 */
const delaysOnDevice: readonly Delay[] = [0, 1, 2, 4, 8, 'macrotask'];

const stepBatches = [createMinibatch(3, 601), createMinibatch(4, 602)] as const;
const otherBatches = [createMinibatch(4, 603), createMinibatch(2, 604)] as const;

/** What stays the same while pairs of calls are tried: matrices on the backend, and a state to restore. */
interface Inputs {
  readonly hidden: readonly [Matrix, Matrix];
  readonly stepHidden: readonly [Matrix, Matrix];
  readonly state: ModuleState;
}

interface Call {
  readonly name: string;
  /** Starts the call, and reads what it gives as soon as it is there. */
  readonly start: (layer: OutputLayer, inputs: Inputs, place: 0 | 1) => unknown;
  /** Nothing is left to wait for when it has returned. */
  readonly isSynchronous?: boolean;
  /** Whether the layer cannot be brought back afterwards to the state before. */
  readonly isFinal?: boolean;
}

const numbersOf = async (matrix: Matrix): Promise<Float64Array> => Float64Array.from(await read(matrix));

async function stepNumbers({ losses, hiddenGradient }: StepResult): Promise<unknown> {
  return Promise.all([numbersOf(losses), numbersOf(hiddenGradient)]);
}

/** Runs a synchronous call and reads its result; the matrix is disposed at once, which a backend must allow. */
function intoMatrix(layer: OutputLayer, rows: number, columns: number, call: (out: Matrix) => void): unknown {
  using out = layer.backend.createMatrix(rows, columns);
  call(out);
  return numbersOf(out);
}

const classesOf = (rows: number, place: 0 | 1): Int32Array =>
  Int32Array.from({ length: rows }, (_, j) => (place + 2 * j) % request.classes);

const step: Call = {
  name: 'step',
  start: (layer, { stepHidden }, place) =>
    layer.step(stepHidden[place], stepBatches[place].targets, { learningRate }).then(stepNumbers),
};

const evaluate: Call = {
  name: 'evaluate',
  start: (layer, { hidden }, place) => layer.evaluate(hidden[place], otherBatches[place].targets).then(numbersOf),
};

const dispose: Call = {
  name: 'dispose',
  isSynchronous: true,
  isFinal: true,
  start: (layer) => {
    layer[Symbol.dispose]();
  },
};

const calls: readonly Call[] = [
  step,
  evaluate,
  {
    name: 'restore',
    start: (layer, { state }) => layer.restore(state),
  },
  { name: 'topK', start: (layer, { hidden }, place) => topK(layer, hidden[place], 2) },
  {
    name: 'ranksOf',
    start: (layer, { hidden }, place) => ranksOf(layer, hidden[place], classesOf(hidden[place].rows, place)),
  },
  {
    name: 'scores',
    isSynchronous: true,
    start: (layer, { hidden }, place) =>
      intoMatrix(layer, hidden[place].rows, 4, (out) => {
        layer.scores(hidden[place], 2, out);
      }),
  },
  {
    name: 'classScores',
    isSynchronous: true,
    start: (layer, { hidden }, place) =>
      intoMatrix(layer, hidden[place].rows, 1, (out) => {
        layer.classScores(hidden[place], classesOf(hidden[place].rows, place), out);
      }),
  },
  {
    name: 'classVectors',
    isSynchronous: true,
    start: (layer) =>
      intoMatrix(layer, 5, request.features, (out) => {
        layer.classVectors(1, out);
      }),
  },
  {
    name: 'state',
    isSynchronous: true,
    start: (layer) => {
      const { configuration, tensors } = layer.state();
      // All at once: a state is no longer given after the layer has changed.
      const values = tensors.map(async (tensor) => Array.from(await tensor.read(0, tensor.rows)));
      return Promise.all([configuration, ...values]);
    },
  },
  dispose,
];

const confirmSteps: Call = { name: 'confirmSteps', start: (layer) => layer.confirmSteps?.() };

/** Its second half begins in the microtask after the first. */
const preparedStep: Call = {
  name: 'prepareStep-and-apply',
  start: async (layer, { stepHidden }, place) => {
    const prepared = await (layer as TwoPhaseOutputLayer).prepareStep(stepHidden[place], stepBatches[place].targets, {
      learningRate,
    });
    await Promise.resolve();
    return prepared.apply().then(stepNumbers);
  },
};

const discardedStep: Call = {
  name: 'prepareStep-and-discard',
  start: async (layer, { stepHidden }, place) => {
    const prepared = await (layer as TwoPhaseOutputLayer).prepareStep(stepHidden[place], stepBatches[place].targets, {
      learningRate,
    });
    await Promise.resolve();
    prepared.discard();
  },
};

function callsOf(subject: LayerUnderTest, layer: OutputLayer): readonly Call[] {
  // Without withFixedWeights nothing keeps a step from coming between two blocks of classes.
  const own = layer.withFixedWeights === undefined ? calls.filter(({ name }) => !/^(topK|ranksOf)$/.test(name)) : calls;
  return [
    ...own,
    ...(layer.confirmSteps === undefined ? [] : [confirmSteps]),
    ...('prepareStep' in layer ? [preparedStep, discardedStep] : []),
    ...(subject.moreCalls ?? []).map(({ name, start, isFinal = false }: LayerCall): Call => ({
      name,
      isFinal,
      start: (each, { hidden }, place) => start(each, hidden[place], classesOf(hidden[place].rows, place)),
    })),
  ];
}

/** What a call came to: its result, or its error. */
interface Outcome {
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
}

async function outcomeOf(start: () => unknown): Promise<Outcome> {
  try {
    return { result: await start() };
  } catch (error) {
    if (isOutputLayerError(error) || isStateError(error) || isLinalgError(error))
      return { code: error.code, message: error.message };
    throw error;
  }
}

/** Of every engine; this package is compiled without the types of any. */
declare function setTimeout(action: () => void, milliseconds: number): unknown;

async function wait(delay: Delay): Promise<void> {
  if (delay === 'macrotask') await new Promise<void>((resolve) => setTimeout(resolve, 0));
  else for (let tick = 0; tick < delay; tick++) await undefined;
}

/** The weights, or why there are none. */
async function stateAfter(layer: OutputLayer): Promise<LayerSnapshot | string> {
  try {
    await layer.confirmSteps?.();
    return await snapshotOf(layer, placedBatch);
  } catch (error) {
    if (isOutputLayerError(error)) return error.code;
    throw error;
  }
}
const placedBatch: Minibatch = createMinibatch(2, 605);

/** A copy on the host, so that it can be restored again and again. */
async function copyOf({ configuration, tensors }: ModuleState): Promise<ModuleState> {
  const copies = await Promise.all(
    tensors.map(async (tensor) => {
      const { rows, columns } = tensor;
      const values = (await tensor.read(0, rows)).slice(0, rows * columns);
      return {
        ...tensor,
        read: (first: number, count: number) =>
          Promise.resolve(values.slice(first * columns, (first + count) * columns)),
      };
    }),
  );
  return { configuration, tensors: copies };
}

/** One layer after another, each as it was after the same few steps. */
class Workbench implements Disposable {
  readonly #subject: LayerUnderTest;
  readonly #backend: ReturnType<LayerUnderTest['backend']>;
  #layer: OutputLayer | undefined;
  #start: ModuleState | undefined;
  #inputs: Inputs | undefined;

  constructor(subject: LayerUnderTest) {
    this.#subject = subject;
    this.#backend = subject.backend();
  }

  get delays(): readonly Delay[] {
    return this.#backend.readSync === undefined ? delaysOnDevice : delays;
  }

  async layer(): Promise<OutputLayer> {
    if (this.#layer !== undefined && this.#start !== undefined) await this.#layer.restore(this.#start);
    else {
      this.#layer = await this.#subject.create(this.#backend, request);
      for (const seed of [611, 612, 613]) await stepOn(this.#layer, createMinibatch(3, seed));
      this.#start ??= await copyOf(this.#layer.state());
      // Both begin with a restore: what else a layer has seen must not show.
      await this.#layer.restore(this.#start);
    }
    return this.#layer;
  }

  async inputs(): Promise<Inputs> {
    if (this.#inputs !== undefined) return this.#inputs;
    const layer = await this.layer();
    await stepOn(layer, createMinibatch(5, 614));
    const state = await copyOf(layer.state());
    const on = (batch: Minibatch): Matrix => placed(this.#backend, batch);
    this.#inputs = {
      state,
      hidden: [on(otherBatches[0]), on(otherBatches[1])],
      stepHidden: [on(stepBatches[0]), on(stepBatches[1])],
    };
    return this.#inputs;
  }

  /** The next layer will be a new one. */
  dropLayer(): void {
    this.#layer?.[Symbol.dispose]();
    this.#layer = undefined;
  }

  [Symbol.dispose](): void {
    this.dropLayer();
    for (const matrix of [...(this.#inputs?.hidden ?? []), ...(this.#inputs?.stepHidden ?? [])])
      matrix[Symbol.dispose]();
  }
}

/** The same numbers, bit for bit; the slow comparison is for its message only. */
function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (textOf(actual) !== textOf(expected)) expect(actual, what).toEqual(expected);
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    ArrayBuffer.isView(each) ? Array.from(each as Float64Array, String) : each,
  );

/** The first call with each of the others as the second. */
async function tryPairs(bench: Workbench, first: Call, seconds: readonly Call[]): Promise<void> {
  const inputs = await bench.inputs();
  const alone = await bench.layer();
  const firstAlone = await outcomeOf(() => first.start(alone, inputs, 0));
  const afterFirst = await stateAfter(alone);
  if (first.isFinal === true) bench.dropLayer();
  for (const second of seconds) {
    const isFinal = first.isFinal === true || second.isFinal === true;
    const oneByOne = await bench.layer();
    await outcomeOf(() => first.start(oneByOne, inputs, 0));
    const secondAfter = await outcomeOf(() => second.start(oneByOne, inputs, 1));
    const afterBoth = await stateAfter(oneByOne);
    if (isFinal) bench.dropLayer();
    for (const delay of first.isSynchronous === true ? delays.slice(0, 1) : bench.delays) {
      const layer = await bench.layer();
      let hasEnded = false;
      const running = outcomeOf(() => first.start(layer, inputs, 0)).finally(() => (hasEnded = true));
      if (delay !== 0) await wait(delay);
      const wasAfter = hasEnded;
      const second1 = outcomeOf(() => second.start(layer, inputs, 1));
      const [firstOutcome, secondOutcome] = await Promise.all([running, second1]);
      const what = `${first.name}, then ${second.name} after ${delay === 'macrotask' ? 'a macrotask' : `${delay} microtasks`}`;
      // Of two calls, or of a result on its way through a function around the layer, disposal may cut off the rest.
      const isCutOff = second === dispose && firstOutcome.code === 'disposed';
      if (!isCutOff) expectSame(firstOutcome, firstAlone, `${what}: the first`);
      const isRefused = secondOutcome.code === 'busy';
      // On a device a call may be refused also after a step, until that has been verified.
      if (isRefused && secondAfter.code !== 'busy')
        expect(secondOutcome.message, what).toMatch(/await it first|neither applied nor discarded/);
      else if (isRefused) expect(secondAfter.code, what).toBe('busy');
      else expectSame(secondOutcome, secondAfter, `${what}: the second`);
      expectSame(await stateAfter(layer), isRefused ? afterFirst : afterBoth, `${what}: the layer`);
      if (isFinal) bench.dropLayer();
      if (wasAfter) break;
    }
  }
}

/** One case for each call that may come first. */
function pairsCase(name: string): OutputLayerCase {
  return {
    id: `overlap/${name}`,
    run: async (subject) => {
      using bench = new Workbench(subject);
      const all = callsOf(subject, await bench.layer());
      for (const first of all.filter((call) => nameOf(call) === name)) await tryPairs(bench, first, all);
    },
  };
}

const ownNames = new Set([...calls, confirmSteps, preparedStep, discardedStep].map(({ name }) => name));
const nameOf = ({ name }: Call): string => (ownNames.has(name) ? name : 'more-calls');

export const overlapCases: readonly OutputLayerCase[] = [
  ...[...ownNames, 'more-calls'].map(pairsCase),
  {
    id: 'overlap/results-stay-valid',
    run: async (subject) => {
      using bench = new Workbench(subject);
      const inputs = await bench.inputs();
      const ending = new Set(['step', 'evaluate', 'dispose', 'prepareStep-and-apply', 'prepareStep-and-discard']);
      for (const other of callsOf(subject, await bench.layer())) {
        if (ending.has(other.name)) continue;
        const layer = await bench.layer();
        const losses = await layer.evaluate(inputs.hidden[0], otherBatches[0].targets);
        const evaluated = await numbersOf(losses);
        await other.start(layer, inputs, 1);
        expect(await numbersOf(losses), `the losses of evaluate after ${other.name}`).toEqual(evaluated);
        // After a call that changes the number of classes the targets are of another layer.
        if (other.isFinal === true) bench.dropLayer();
        const stepping = await bench.layer();
        const result = await stepping.step(inputs.stepHidden[0], stepBatches[0].targets, { learningRate });
        await stepping.confirmSteps?.();
        const stepped = await stepNumbers(result);
        await other.start(stepping, inputs, 1);
        expect(await stepNumbers(result), `the results of step after ${other.name}`).toEqual(stepped);
        if (other.isFinal === true) bench.dropLayer();
      }
    },
  },
  {
    id: 'overlap/a-state-is-not-read-after-a-step',
    run: async (subject) => {
      using bench = new Workbench(subject);
      const inputs = await bench.inputs();
      const layer = await bench.layer();
      const { tensors } = layer.state();
      await evaluate.start(layer, inputs, 0);
      for (const tensor of tensors) await tensor.read(0, tensor.rows);
      await step.start(layer, inputs, 0);
      await layer.confirmSteps?.();
      for (const tensor of tensors) await expectRefusal(() => tensor.read(0, tensor.rows), 'busy');
      for (const tensor of layer.state().tensors) await tensor.read(0, tensor.rows);
    },
  },
  {
    id: 'overlap/dispose-waits-for-the-running-call',
    run: async (subject) => {
      const backend = subject.backend();
      const [{ targets }] = stepBatches;
      using hidden = placed(backend, stepBatches[0]);
      for (const start of [
        (layer: OutputLayer) => layer.step(hidden, targets, { learningRate }).then(stepNumbers),
        (layer: OutputLayer) => layer.evaluate(hidden, targets).then(numbersOf),
      ]) {
        const layer = await subject.create(backend, request);
        const before = backend.memory();
        const running = start(layer);
        layer[Symbol.dispose]();
        layer[Symbol.dispose]();
        await expectRefusal(() => layer.evaluate(hidden, targets), 'disposed');
        await running;
        await wait('macrotask');
        expect(memoryDifference(backend.memory(), before).bytes, 'the storage is released').toBeLessThan(0);
      }
    },
  },
];
