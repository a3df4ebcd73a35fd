/**
 * The layer on a GPU: as exact as on any f32 backend, and a step that reads nothing. Dawn over SwiftShader, as the
 * backend's own conformance.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import { createWebGpuBackend, probeWebGpuBackend, type WebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { write } from '@vastmax/linalg-core';
import { probeSoftwareGpu } from '@vastmax/software-gpu';
import { csrFromLists, RandomGenerator, type CsrRows } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss, type UpdateForm } from '@vastmax/spherical-losses';
import {
  exactnessMatrix,
  rebaseCases,
  judgeExactness,
  runExactness,
  singularCases,
  type ExactnessCase,
} from '@vastmax/spherical-losses/testing';
import { afterAll, describe, expect, it } from 'vitest';

const probe = await probeSoftwareGpu(probeWebGpuBackend);

/** One for all: it takes seconds to compile the kernels. */
let shared: WebGpuBackend | undefined;

afterAll(() => shared?.dispose());

async function backendOrSkip(skip: (reason: string) => never): Promise<WebGpuBackend> {
  if (!probe.available) {
    if (requiredBackends().has('webgpu-dawn'))
      throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${probe.reason}`);
    skip(`unavailable: ${probe.reason}`);
  }
  return (shared ??= await createWebGpuBackend());
}

describe('exact against dense f64 SGD', () => {
  const inF32 = ({ form, options }: ExactnessCase): boolean => options.precision === 'f32' && form !== 'auto';
  const ragged = exactnessMatrix(40).filter(
    (one) => inF32(one) && one.options.targets === 'ragged' && one.options.weightDecay === 0,
  );
  const decaying = exactnessMatrix(40).filter(
    (one) => inF32(one) && one.options.targets === 3 && one.options.weightDecay !== 0 && one.form === 'row',
  );

  it.for([...ragged, ...decaying, ...rebaseCases(60).filter(inF32), ...singularCases().filter(inF32)])(
    '$id',
    async ({ group, options }, { skip }) => {
      const result = await runExactness({
        ...options,
        steps: Math.min(60, options.steps),
        backend: await backendOrSkip(skip),
      });
      // Between a step that the device refuses and the look at it, gradients are of the weights before it.
      const judged = group === 'matrix' ? result : { ...result, gradientError: 0 };
      expect(judgeExactness(judged, 'f32'), JSON.stringify(result)).toMatchObject({ pass: true });
    },
  );
});

const classes = 3000;
const examples = 32;
const features = 64;

/** A class for each example, another one for each: a class that two examples share costs three dispatches more. */
function targetsOf(step: number): CsrRows {
  return csrFromLists(
    Array.from({ length: examples }, (_, i) => [((step * examples + i) * 1009) % classes]),
    classes,
  );
}

/** @returns what is counted in each of 8 steps, after 31 and a look at them. */
async function countSteps(backend: WebGpuBackend, form: UpdateForm): Promise<readonly Record<string, number>[]> {
  using layer = await createFactoredOutputLayer(backend, { classes, features, loss: zLoss(), form });
  using hidden = backend.createMatrix(examples, features);
  const random = new RandomGenerator(5);
  let steps = 0;
  const step = async (): Promise<void> => {
    write(
      Float64Array.from({ length: examples * features }, () => random.normal()),
      hidden,
    );
    await layer.step(hidden, targetsOf(steps++), { learningRate: 0.05 });
  };
  for (let i = 0; i < 31; i++) await step();
  await layer.confirmSteps();
  // The first after a look begins with what the look has left.
  await step();
  const counted: Record<string, number>[] = [];
  for (let i = 0; i < 8; i++) {
    const before = { ...backend.counters };
    await step();
    counted.push(
      Object.fromEntries(
        Object.entries(backend.counters).map(([name, value]) => [name, value - before[name as keyof typeof before]]),
      ),
    );
  }
  return counted;
}

describe('a step', () => {
  it.for([
    { form: 'small-batch', most: 60 },
    // For minibatches of more examples than features.
    { form: 'row', most: 62 },
  ] as const)(
    'in $form form takes at most $most dispatches, one submission and no read, and creates nothing',
    async ({ form, most }, { skip }) => {
      const backend = await backendOrSkip(skip);
      const numbers = examples * features + 2 * examples;
      for (const { dispatches, bytesUploaded, ...rest } of await countSteps(backend, form)) {
        expect(dispatches).toBeLessThanOrEqual(most);
        expect(rest).toEqual({ submits: 1, reads: 0, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0 });
        // The hidden activations that this test writes, O(m) numbers of the targets, and 256 bytes for each dispatch.
        expect(bytesUploaded).toBeLessThan(256 * most + 4 * (numbers + 20 * examples));
      }
    },
  );
});
