/**
 * Made-up examples of 10⁴ to 10⁶ classes, drawn as they are needed: nothing of the size of the data is kept. The number
 * of a class is written with four digits of base 32, and an example of it has a feature for each digit, of which one in
 * ten is missing, and some noise: there is something to learn for every class, also from few examples. Classes are
 * drawn log-uniformly (Zipf), as words and products are.
 */
import { createNetwork, type BatchSource, type TrainingBatch } from '@vastmax/lm-models';
import { evaluateRanking } from '@vastmax/lm-models/metrics';
import { createDenseRows, CsrBuffer, RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import type { Job, JobModel } from './job.ts';

const base = 32;
const digits = 4;
const features = base * digits;
const noiseFeatures = 64;
const missing = 0.1;
const denseWidth = 64;
const denseNoise = 0.2;
const examplesPerEpoch = 1_000_000;
/** Batches of held-out examples have numbers that training does not reach. */
const heldOutFrom = 2 ** 40;

export function createMadeUpJob(inputs: 'dense' | 'sparse', classes: number): Job {
  return {
    title: `${classes.toLocaleString('en-US')} made-up classes, ${inputs} inputs`,
    classes,
    createModel: async (backend, { hidden, batch }, output) => {
      const body =
        inputs === 'dense'
          ? ({ kind: 'dense', hidden: [hidden], activation: 'tanh', seed: 1 } as const)
          : ({ kind: 'bag', embedding: hidden, pooling: 'sum', activation: 'tanh', seed: 1 } as const);
      const sizes = {
        inputs: inputs === 'dense' ? denseWidth : features + noiseFeatures,
        frequencies: frequenciesOf(classes),
      };
      const network = (await createNetwork(backend, sizes, { body, output })) as unknown as JobModel['network'];
      return {
        network,
        batches: new MadeUpBatches(inputs, classes, batch, 0),
        evaluate: (limit) =>
          evaluateRanking(network, new MadeUpBatches(inputs, classes, Math.min(limit, 256), heldOutFrom), { limit }),
        [Symbol.dispose]: () => {
          network[Symbol.dispose]();
        },
      };
    },
  };
}

/** Of a million examples. */
function frequenciesOf(classes: number): Float64Array {
  const scale = 1e6 / Math.log(classes + 1);
  return Float64Array.from({ length: classes }, (_, at) => scale * Math.log((at + 2) / (at + 1)));
}

interface MadeUpBatch extends TrainingBatch {
  readonly inputs: object;
  readonly targetIds: Int32Array;
}

/** The minibatch of a number is always the same, so that its number is the whole cursor. */
class MadeUpBatches implements BatchSource<MadeUpBatch> {
  readonly examplesPerEpoch: number = examplesPerEpoch;
  readonly #classes: number;
  readonly #size: number;
  readonly #first: number;
  readonly #ids: Int32Array;
  readonly #fill: (random: RandomGenerator) => object;
  #number = 0;

  constructor(inputs: 'dense' | 'sparse', classes: number, size: number, first: number) {
    this.#classes = classes;
    this.#size = size;
    this.#first = first;
    this.#ids = new Int32Array(size);
    this.#fill = inputs === 'dense' ? this.#createDense() : this.#createSparse();
  }

  next(): MadeUpBatch {
    const random = new RandomGenerator(this.#first + this.#number++);
    const scale = Math.log(this.#classes + 1);
    for (let example = 0; example < this.#size; example++)
      this.#ids[example] = Math.min(this.#classes - 1, Math.floor(Math.exp(scale * random.uniform())) - 1);
    return {
      size: this.#size,
      inputs: this.#fill(random),
      targets: singleTargets(this.#ids, this.#classes),
      targetIds: this.#ids,
      epoch: 0,
      endOfEpoch: false,
    };
  }

  cursor(): object {
    return { number: this.#number };
  }

  seek(cursor: unknown): void {
    const { number } = cursor as { readonly number?: unknown };
    if (!Number.isSafeInteger(number)) throw new Error(`the cursor's number is ${String(number)}, not a whole number`);
    this.#number = Number(number);
  }

  #createSparse(): (random: RandomGenerator) => object {
    const rows = new CsrBuffer(features + noiseFeatures, { weighted: false });
    return (random) => {
      rows.clear();
      for (const id of this.#ids) {
        forEachDigit(id, (feature) => {
          if (random.uniform() >= missing) rows.add(feature);
        });
        rows.add(features + random.integer(noiseFeatures));
        rows.endRow();
      }
      return rows.rows();
    };
  }

  #createDense(): (random: RandomGenerator) => object {
    const codes = new Float64Array(features * denseWidth);
    new RandomGenerator(7).normals(codes, 1 / Math.sqrt(digits));
    const values = new Float32Array(this.#size * denseWidth);
    const rows = createDenseRows(this.#size, denseWidth, values);
    return (random) => {
      for (let example = 0; example < this.#size; example++) {
        const at = example * denseWidth;
        for (let i = 0; i < denseWidth; i++) values[at + i] = denseNoise * random.normal();
        forEachDigit(this.#ids[example]!, (feature) => {
          if (random.uniform() < missing) return;
          for (let i = 0; i < denseWidth; i++) values[at + i]! += codes[feature * denseWidth + i]!;
        });
      }
      return rows;
    };
  }
}

function forEachDigit(id: number, use: (feature: number) => void): void {
  let rest = id;
  for (let place = 0; place < digits; place++) {
    use(place * base + (rest % base));
    rest = Math.floor(rest / base);
  }
}
