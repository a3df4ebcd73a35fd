/**
 * The same model, seed and data give the same losses on a GPU as on a CPU, at each of 200 steps. Dawn over SwiftShader,
 * as the backend's own conformance.
 *
 * The rates are low, on purpose. Two backends of f32 round differently, and a step multiplies what rounding has left:
 * at ten times these rates, which are about the main job's, plain f32 is 1e-6 from plain f64 after 17 steps and up to 4
 * % within 500, at two and a half times up to 0.3 %; a comparison there says nothing about the GPU. At these it is 4e-7
 * from f64 throughout, the loss falls by a third all the same, and whatever goes beyond rounding shows. There are
 * hundreds of classes, because with the few of the toy language U drifts so fast that the device refuses steps, and
 * losses read before the layer has looked are of older weights.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { createPlainBackend, read, type Backend, type FloatArray } from '@vastmax/linalg-core';
import { Trainer, createNetwork } from '@vastmax/lm-models';
import { probeSoftwareGpu } from '@vastmax/software-gpu';
import { NgramBatches, RandomGenerator, VocabularyCounter } from '@vastmax/sparse-data';
import { expect, it } from 'vitest';
import { eventsOf } from './run-training.ts';

const steps = 200;
const batchSize = 32;
const words = 1000;
/** Relative; 4e-7 was seen. */
const tolerance = 1e-5;

/** Every word has three that may follow it, frequent ones mostly, and one word in ten is random. */
function createText(length: number): readonly string[] {
  const random = new RandomGenerator(3);
  const followers = Array.from({ length: words }, () =>
    Array.from({ length: 3 }, () => Math.floor(words * random.uniform() ** 3)),
  );
  let word = 0;
  return Array.from({ length }, () => {
    word = random.uniform() < 0.1 ? random.integer(words) : (followers[word]?.[random.integer(3)] ?? 0);
    return `w${word}`;
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean loss of each step. The reads are waited for at the end only, as training does not wait for them. */
async function curveOn(backend: Backend): Promise<readonly number[]> {
  // 80 minibatches: the run has two epochs and a half.
  const text = createText(80 * batchSize);
  const counter = new VocabularyCounter();
  counter.addAll(text);
  const vocabulary = counter.build();
  const tokens = Int32Array.from(text, (word) => vocabulary.idOf(word) ?? -1);
  const batches = new NgramBatches({ tokens, classes: vocabulary.size, order: 2, batchSize, paddingId: 0, seed: 4 });
  const sizes = { inputs: vocabulary.size, frequencies: vocabulary.counts };
  using model = await createNetwork(backend, sizes, {
    body: { kind: 'ngram', order: 2, embedding: 16, hidden: [24], seed: 1 },
    output: { kind: 'factored', loss: { name: 'z-loss', options: { a: 0.1, b: 10 } }, initialScale: 0.01, seed: 2 },
  });
  const { output } = model;
  const step = output.step.bind(output);
  const reads: Promise<FloatArray>[] = [];
  output.step = async (hidden, targets, options) => {
    const result = await step(hidden, targets, options);
    reads.push(read(result.losses));
    return result;
  };
  using trainer = new Trainer(model, batches, {
    bodyRate: 0.5,
    outputRate: 0.1,
    optimizer: 'sgd',
    schedule: 'constant',
    examples: steps * batchSize,
  });
  await eventsOf(trainer);
  return (await Promise.all(reads)).map((losses) => meanOf([...losses]));
}

it('takes the same 200 steps on WebGPU as on a CPU', async ({ skip }) => {
  const probe = await probeSoftwareGpu(probeWebGpuBackend);
  if (!probe.available) {
    if (requiredBackends().has('webgpu-dawn'))
      throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${probe.reason}`);
    skip(`unavailable: ${probe.reason}`);
  }
  const expected = await curveOn(createPlainBackend({ precision: 'f32' }));
  const gpu = await createWebGpuBackend();
  const actual = await curveOn(gpu);
  await gpu.dispose();
  expect(expected).toHaveLength(steps);
  expect(actual).toHaveLength(steps);
  const differences = expected.map((loss, step) => Math.abs((actual[step] ?? Number.NaN) - loss) / loss);
  expect(
    differences.findIndex((difference) => !(difference <= tolerance)),
    'the first step that differs',
  ).toBe(-1);
  expect(meanOf(expected.slice(-50)), 'the loss falls, so that there was something to follow').toBeLessThan(
    0.7 * expected[0]!,
  );
});
