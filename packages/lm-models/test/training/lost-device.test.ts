/**
 * A GPU that is lost in the middle of a step: training ends with the typed error, and goes on from its last checkpoint
 * on another device to the weights that it would have had. Dawn over SwiftShader, as the backend's own conformance.
 */
import { requiredBackends } from '@vastmax/backend-conformance';
import { createWebGpuBackend, probeWebGpuBackend, type WebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { read, type FloatArray } from '@vastmax/linalg-core';
import { Trainer, type NgramNetwork } from '@vastmax/lm-models';
import { openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { probeSoftwareGpu } from '@vastmax/software-gpu';
import type { NgramBatches } from '@vastmax/sparse-data';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { captureSnapshot } from './captured-snapshot.ts';
import { abortedDuringStep, eventsOf } from './run-training.ts';
import { createToyModel, toyBatches, toyTraining, toyVocabulary } from './toy-language.ts';

const directory = mkdtempSync(join(tmpdir(), 'vastmax-lost-device-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const loss = 'z-loss';
const [savedStep, lostStep, lastStep] = [12, 18, 28];
const batchSize = 32;
/** The second epoch begins at step 21. */
const epoch = 20 * batchSize;
const training = toyTraining(loss, { examples: lastStep * batchSize });

interface Run {
  readonly backend: WebGpuBackend;
  readonly model: NgramNetwork;
  readonly batches: NgramBatches;
  readonly trainer: Trainer;
}

async function createRun(seed: number): Promise<Run> {
  const backend = await createWebGpuBackend();
  const model = await createToyModel(backend, loss, { seed });
  const batches = toyBatches({ examples: epoch, batchSize, seed });
  return { backend, model, batches, trainer: new Trainer(model, batches, training) };
}

async function end({ backend, model, trainer }: Run): Promise<void> {
  trainer[Symbol.dispose]();
  model[Symbol.dispose]();
  await backend.dispose();
}

/** Of the body, and W of the output layer, whatever it is made of: when a generation was closed is not compared. */
async function weightsOf({ backend, model, trainer }: Run): Promise<ReadonlyMap<string, ArrayLike<number>>> {
  const { tensors } = await captureSnapshot(trainer.snapshot());
  using vectors = backend.createMatrix(model.output.classes, model.output.features);
  model.output.classVectors(0, vectors);
  const classVectors: FloatArray = await read(vectors);
  return new Map<string, ArrayLike<number>>([
    ...[...tensors].filter(([name]) => name.startsWith('body/')),
    ['class vectors', classVectors],
  ]);
}

/** When the output layer's part of the step has been recorded, and the body's has not. */
function loseDeviceDuringStep({ backend, model: { output } }: Run, step: number): void {
  const original = output.step.bind(output);
  let steps = 0;
  output.step = async (...parameters) => {
    const result = await original(...parameters);
    if (++steps === step) backend.device.destroy();
    return result;
  };
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

it('ends training with device-lost, and a new device goes on from the last checkpoint to the same weights', async ({
  skip,
}) => {
  const probe = await probeSoftwareGpu(probeWebGpuBackend);
  if (!probe.available) {
    if (requiredBackends().has('webgpu-dawn'))
      throw new Error(`REQUIRE_BACKENDS names webgpu-dawn, but it is unavailable: ${probe.reason}`);
    skip(`unavailable: ${probe.reason}`);
  }
  const whole = await createRun(4);
  expect((await eventsOf(whole.trainer)).at(-1)).toMatchObject({ type: 'finished', step: lastStep });
  const expected = await weightsOf(whole);
  await end(whole);

  const lost = await createRun(4);
  loseDeviceDuringStep(lost, lostStep);
  expect((await eventsOf(lost.trainer, abortedDuringStep(lost.batches, savedStep))).at(-1)).toMatchObject({
    type: 'interrupted',
    step: savedStep,
  });
  await writeCheckpoint(createFileStorage(directory), {
    ...lost.trainer.snapshot(),
    texts: { 'vocabulary.json': JSON.stringify(toyVocabulary) },
  });
  await expect(eventsOf(lost.trainer)).rejects.toMatchObject({
    name: 'LinalgError',
    code: 'device-lost',
    message: expect.stringContaining('create a new backend and resume from the last checkpoint'),
  });
  expect(lost.trainer.step).toBeGreaterThanOrEqual(lostStep - 1);
  await end(lost);

  // Other seeds: everything must come from the checkpoint.
  const resumed = await createRun(1234);
  {
    await using saved = await openCheckpoint(createFileStorage(directory));
    await resumed.trainer.restore(saved);
  }
  expect(resumed.trainer.step).toBe(savedStep);
  expect((await eventsOf(resumed.trainer)).at(-1)).toMatchObject({ type: 'finished', step: lastStep });
  const actual = await weightsOf(resumed);
  await end(resumed);
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, values] of expected) {
    const difference = largest(Array.from(values, (value, i) => value - (actual.get(name)?.[i] ?? Number.NaN)));
    // A fresh layer looks at its steps oftener than one that has seen many, so it closes generations at other steps,
    // which rounds differently.
    expect(difference / largest(values), name).toBeLessThan(1e-5);
  }
});
