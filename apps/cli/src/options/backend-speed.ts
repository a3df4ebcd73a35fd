/** How fast a backend is here: `vastmax backends` shows it, and `--backend auto` takes a GPU only where it is faster. */
import { copy, createMatrixFrom, gemm, unary, type Backend } from '@vastmax/linalg-core';

export interface BackendSpeed {
  /** GFLOP/s of a product of two matrices of 512×512. */
  readonly gemmGflops: number;
  /** GB/s of a copy of 16 MiB, bytes read and bytes written both counted. */
  readonly copyGigabytesPerSecond: number;
  /** Milliseconds of {@link stepOperations}. */
  readonly stepMs: number;
}

const size = 512;
const copyRows = 2048;
/** Of each measurement, after one run that is not counted (kernels are compiled there). */
const budgetMs = 150;
const [examples, features] = [128, 256];
/** Products and elementwise operations, about as a step of the factored layer has them on a GPU. */
const [products, elementwise] = [8, 16];

/** Takes about half a second, on the slowest backends three. */
export async function measureBackend(backend: Backend): Promise<BackendSpeed> {
  const a = createMatrixFrom(backend, size, size, waves(size * size));
  const out = backend.createMatrix(size, size);
  const gemmMs = await medianMs(backend, () => {
    gemm(a, a, out);
  });
  const from = createMatrixFrom(backend, copyRows, copyRows, waves(copyRows * copyRows));
  const to = backend.createMatrix(copyRows, copyRows);
  const copyMs = await medianMs(backend, () => {
    copy(from, to);
  });
  for (const matrix of [a, out, from, to]) matrix[Symbol.dispose]();
  const bytesOfNumber = backend.precision === 'f64' ? 8 : 4;
  return {
    gemmGflops: (2 * size ** 3) / gemmMs / 1e6,
    copyGigabytesPerSecond: (2 * copyRows ** 2 * bytesOfNumber) / copyMs / 1e6,
    stepMs: await measureStep(backend),
  };
}

/**
 * Milliseconds of what a training step of 128 examples and 256 features is made of: products, and elementwise
 * operations between them, recorded without waiting, as the trainer does.
 */
export async function measureStep(backend: Backend): Promise<number> {
  const weights = createMatrixFrom(backend, features, features, waves(features * features));
  const hidden = createMatrixFrom(backend, examples, features, waves(examples * features));
  const out = backend.createMatrix(examples, features);
  const stepsAtOnce = 4;
  const milliseconds = await medianMs(backend, () => {
    for (let step = 0; step < stepsAtOnce; step++) {
      for (let product = 0; product < products; product++) {
        gemm(hidden, weights, out);
        for (let i = 0; i < elementwise / products; i++) unary('tanh', out, out);
      }
    }
  });
  for (const matrix of [weights, hidden, out]) matrix[Symbol.dispose]();
  return milliseconds / stepsAtOnce;
}

async function medianMs(backend: Backend, run: () => void): Promise<number> {
  const once = async (): Promise<number> => {
    const start = performance.now();
    run();
    await backend.synchronize();
    return performance.now() - start;
  };
  await once();
  const times: number[] = [];
  for (let spent = 0; spent < budgetMs;) {
    const time = await once();
    times.push(time);
    spent += time;
  }
  return times.sort((x, y) => x - y)[times.length >> 1]!;
}

/** Numbers of both signs and of one size: no denormals, nothing that a product could skip. */
function waves(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(1 + 7 * i));
}
