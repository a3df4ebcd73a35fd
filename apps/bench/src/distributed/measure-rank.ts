/**
 * What one rank of a job measures: the step of a layer over ranks for tables of several heights, in turns, so
 * that a disturbance of the machine falls on all heights alike. Targets follow Zipf's law over the same 10,000 classes
 * for every height, spread over the whole table: the distinct classes of a minibatch, and with them its traffic, are
 * then the same for every height, and what would depend on D can be seen.
 */
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { gatherJson, type Communicator, type Traffic } from '@vastmax/collectives';
import { createDistributedFactoredLayer, createDistributedHybridLayer } from '@vastmax/distributed-layers';
import { chooseHybridSizes } from '@vastmax/hybrid-layer';
import { createMatrixFrom, read, type Backend, type Matrix } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { RandomGenerator, singleTargets, type CsrRows } from '@vastmax/sparse-data';
import { zLoss } from '@vastmax/spherical-losses';
import { quantile } from '../measurement/statistics.ts';

/** The layers that can be measured. */
export const measuredLayers = ['factored', 'hybrid'] as const;

export interface RankRequest {
  readonly layer: (typeof measuredLayers)[number];
  /** D of each layer. */
  readonly classes: readonly number[];
  readonly features: number;
  /** m of each rank. */
  readonly batch: number;
  /** Turns of all layers. */
  readonly rounds: number;
  /** Steps of a layer in its turn. */
  readonly steps: number;
}

export interface RankRow {
  readonly classes: number;
  /** Of a step: the median over all steps of the slowest rank in each. */
  readonly medianMs: number;
  /** A tenth of the steps took less: what a machine with nothing else to do would need. */
  readonly undisturbedMs: number;
  readonly lowerQuartileMs: number;
  readonly upperQuartileMs: number;
  /** Share of the ranks' time that is spent in collectives, waiting for each other included. */
  readonly communicationShare: number;
  /** Mean over ranks and steps, of a rank. */
  readonly bytesSentPerStep: number;
  readonly messagesPerStep: number;
  /** Distinct target classes of a rank's minibatch, the mean. */
  readonly touchedClasses: number;
  /** Bytes of the class rows on each rank. */
  readonly rowBytesPerRank: readonly number[];
  /** The first loss and the last, the mean of a minibatch on rank 0: that it trains. */
  readonly firstLoss: number;
  readonly lastLoss: number;
}

export interface RankReport {
  readonly communicator: string;
  readonly backend: string;
  readonly rows: readonly RankRow[];
  /** Of each rank's process at the end: resident, and the most it was. A thread reports the whole process. */
  readonly residentBytes: readonly number[];
  readonly peakBytes: readonly number[];
  /** Of creating the layers, C from D rows included. */
  readonly creationSeconds: number;
  /**
   * An exchange of a few bytes between neighbours, a tenth of them took less: what a message costs the software and
   * this machine.
   */
  readonly exchangeMicroseconds: number;
  /** Of an exchange of 4 MiB between neighbours, likewise. */
  readonly bytesPerSecond: number;
}

const drawnClasses = 10_000;
const patternRows = 4099;
const cycled = 8;
const warmupSteps = 3;
const learningRate = 0.01;

/** A collective. The same report on every rank. */
export async function measureRank(communicator: Communicator, request: RankRequest): Promise<RankReport> {
  const { classes: heights, rounds, steps } = request;
  const backend = await createWasmBackend({ threads: 1 });
  try {
    const start = performance.now();
    const subjects: Subject[] = [];
    for (const classes of heights) subjects.push(await createSubject(communicator, backend, classes, request));
    const creationSeconds = (performance.now() - start) / 1000;
    for (const subject of subjects) await subject.run(warmupSteps);
    for (const subject of subjects) subject.reset();
    for (let round = 0; round < rounds; round++) for (const subject of subjects) await subject.run(steps);
    const rows = subjects.map((subject) => subject.report());
    const network = measureNetwork(communicator);
    const memory = gatherJson(communicator, {
      resident: process.memoryUsage().rss,
      peak: process.resourceUsage().maxRSS * 1024,
    });
    for (const subject of subjects) subject.dispose();
    return {
      communicator: communicator.description,
      backend: backend.name,
      rows,
      residentBytes: memory.map(({ resident }) => resident),
      peakBytes: memory.map(({ peak }) => peak),
      creationSeconds,
      ...network,
    };
  } finally {
    await backend.dispose();
  }
}

interface Subject {
  run(steps: number): Promise<void>;
  reset(): void;
  report(): RankRow;
  dispose(): void;
}

async function createSubject(
  communicator: Communicator,
  backend: Backend,
  classes: number,
  request: RankRequest,
): Promise<Subject> {
  const layer = await createLayer(communicator, backend, classes, request);
  const minibatches = Array.from({ length: cycled }, (_, i) =>
    createMinibatch(communicator.rank, backend, classes, request, i),
  );
  let milliseconds: number[] = [];
  let before = communicator.traffic;
  let sent: Pick<Traffic, 'bytesSent' | 'messagesSent' | 'milliseconds'> = {
    bytesSent: 0,
    messagesSent: 0,
    milliseconds: 0,
  };
  const losses: number[] = [];
  let next = 0;
  return {
    run: async (steps) => {
      communicator.barrier();
      before = communicator.traffic;
      for (let step = 0; step < steps; step++) {
        const { hidden, targets } = minibatches[next++ % cycled] ?? unreachable();
        const start = performance.now();
        const { losses: own } = await layer.step(hidden, targets, { learningRate });
        await backend.synchronize();
        milliseconds.push(performance.now() - start);
        losses[losses.length === 0 ? 0 : 1] = mean(await read(own));
      }
      const { bytesSent, messagesSent, milliseconds: spent } = communicator.traffic;
      sent = {
        bytesSent: sent.bytesSent + bytesSent - before.bytesSent,
        messagesSent: sent.messagesSent + messagesSent - before.messagesSent,
        milliseconds: sent.milliseconds + spent - before.milliseconds,
      };
    },
    reset: () => {
      milliseconds = [];
      sent = { bytesSent: 0, messagesSent: 0, milliseconds: 0 };
    },
    report: () => summarize(communicator, layer, request, milliseconds, sent, minibatches, losses),
    dispose: () => {
      layer[Symbol.dispose]();
      for (const { hidden } of minibatches) hidden[Symbol.dispose]();
    },
  };
}

/**
 * The hybrid layer's classes are numbered by frequency. The drawn ones have the same frequencies for every height, and
 * the others hardly any, so that head and shortlist have the same size.
 */
function createLayer(
  communicator: Communicator,
  backend: Backend,
  classes: number,
  { layer, features, batch }: RankRequest,
): Promise<OutputLayer> {
  if (layer === 'hybrid') {
    const rare = 1e-6 / classes;
    const frequencies = Float64Array.from({ length: classes }, (_, k) => (k < drawnClasses ? 1 / (k + 1) : rare));
    return createDistributedHybridLayer(communicator, backend, {
      features,
      frequencies,
      ...chooseHybridSizes({ frequencies: frequencies.subarray(0, drawnClasses), features, batch }),
    });
  }
  // Rows that repeat are as good as random ones for timing, and made in no time.
  const random = new RandomGenerator(1);
  const patterns = Float32Array.from({ length: patternRows * features }, () => 0.01 * random.normal());
  return createDistributedFactoredLayer(communicator, backend, {
    classes,
    features,
    bias: false,
    loss: zLoss(),
    initialRows: (first) => patterns.subarray((first % patternRows) * features, ((first % patternRows) + 1) * features),
  });
}

interface Minibatch {
  readonly hidden: Matrix;
  readonly targets: CsrRows;
  readonly touched: number;
}

function createMinibatch(
  rank: number,
  backend: Backend,
  classes: number,
  { layer, features, batch }: RankRequest,
  number: number,
): Minibatch {
  const random = new RandomGenerator(1000 * rank + number + 1);
  const drawn = Math.min(drawnClasses, classes);
  // Each drawn number lies in a stretch of its own of the table, on the same rank whatever the height where 10,000 is a
  // multiple of the ranks.
  const stretches = Math.max(1, Math.floor(classes / drawn));
  const ids = Int32Array.from({ length: batch }, () => {
    const word = Math.min(drawn - 1, Math.floor((drawn + 1) ** random.uniform()) - 1);
    // The frequent half of the drawn classes has the head and the shortlist of a hybrid layer, and stays at the front.
    if (layer === 'hybrid' && word < drawn / 2) return word;
    return word + drawn * ((Math.imul(word + 1, 0x9e3779b1) >>> 0) % stretches);
  });
  const hidden = createMatrixFrom(
    backend,
    batch,
    features,
    Float64Array.from({ length: batch * features }, () => random.normal() / Math.sqrt(features)),
  );
  return { hidden, targets: singleTargets(ids, classes), touched: new Set(ids).size };
}

function summarize(
  communicator: Communicator,
  layer: OutputLayer,
  { layer: name, features }: RankRequest,
  milliseconds: readonly number[],
  sent: Pick<Traffic, 'bytesSent' | 'messagesSent' | 'milliseconds'>,
  minibatches: readonly Minibatch[],
  losses: readonly number[],
): RankRow {
  const steps = milliseconds.length;
  const width = name === 'factored' ? features : features + 1;
  const all = gatherJson(communicator, {
    milliseconds,
    sent,
    touched: mean(minibatches.map(({ touched }) => touched)),
    losses,
    rowBytes: 4 * width * Math.ceil((layer.classes - communicator.rank) / communicator.size),
  });
  const slowest = milliseconds
    .map((_, step) => Math.max(...all.map((one) => one.milliseconds[step]!)))
    .sort((a, b) => a - b);
  const total = all.reduce((sum, one) => sum + one.milliseconds.reduce((time, each) => time + each, 0), 0);
  return {
    classes: layer.classes,
    medianMs: quantile(slowest, 0.5),
    undisturbedMs: quantile(slowest, 0.1),
    lowerQuartileMs: quantile(slowest, 0.25),
    upperQuartileMs: quantile(slowest, 0.75),
    communicationShare: all.reduce((sum, one) => sum + one.sent.milliseconds, 0) / total,
    bytesSentPerStep: mean(all.map((one) => one.sent.bytesSent)) / steps,
    messagesPerStep: mean(all.map((one) => one.sent.messagesSent)) / steps,
    touchedClasses: mean(all.map(({ touched }) => touched)),
    rowBytesPerRank: all.map(({ rowBytes }) => rowBytes),
    firstLoss: all[0]?.losses[0] ?? Number.NaN,
    lastLoss: all[0]?.losses[1] ?? Number.NaN,
  };
}

/** The constants of the model of docs/many-machines.md that are not arithmetic. */
function measureNetwork(communicator: Communicator): Pick<RankReport, 'exchangeMicroseconds' | 'bytesPerSecond'> {
  const { rank, size } = communicator;
  const timeOf = (bytes: number, rounds: number): number => {
    const counts = new Int32Array(size);
    if (size > 1) counts[(rank + 1) % size] = bytes;
    const from = new Int32Array(size);
    if (size > 1) from[(rank + size - 1) % size] = bytes;
    const send = new Uint8Array(bytes);
    const receive = new Uint8Array(bytes);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      communicator.allToAll(send, counts, receive, from);
      times.push(performance.now() - start);
    }
    // The undisturbed ones: what other processes do is not the network's.
    return quantile(
      times.sort((a, b) => a - b),
      0.1,
    );
  };
  communicator.barrier();
  const small = timeOf(8, 300);
  const bytes = 4 * 2 ** 20;
  return { exchangeMicroseconds: 1000 * small, bytesPerSecond: (1000 * bytes) / timeOf(bytes, 20) };
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function unreachable(): never {
  throw new RangeError('there is no minibatch');
}
