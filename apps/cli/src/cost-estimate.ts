/** What a training run will need, said before it starts: numbers from the model's sizes, time from this machine's own gemm. */
import { createMatrixFrom, gemm, type Backend } from '@vastmax/linalg-core';
import type { LanguageModel } from '@vastmax/lm-models';

export interface CostEstimate {
  readonly bodyParameters: number;
  readonly outputParameters: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** Share of a step that is not gemm, as measured on the plain backend. */
const overhead = 1.35;

export async function estimateCost(model: LanguageModel, batchSize: number, examples: number): Promise<CostEstimate> {
  const { body, output, backend } = model;
  const d = output.features + 1;
  const m = batchSize;
  let width = body.options.order * body.options.embedding;
  let bodyFlops = 0;
  for (const size of body.options.hidden) {
    bodyFlops += 6 * m * width * size;
    width = size;
  }
  const outputFlops = 14 * m * d * d + Math.min(8 * m * m * d + (2 / 3) * m ** 3, 11 * d ** 3 + 4 * m * d * d);
  const steps = Math.ceil(examples / batchSize);
  return {
    bodyParameters: body.parameterCount,
    outputParameters: output.classes * d,
    bytes: backend.memory().bytes + 4 * output.classes,
    seconds: (overhead * steps * (bodyFlops + outputFlops)) / (await measureGemm(backend, m, d)),
  };
}

/** Floating-point operations a second at the size that a step mostly is: by the median, for another process may hold this one up. */
async function measureGemm(backend: Backend, m: number, d: number): Promise<number> {
  const values = Float64Array.from({ length: m * d }, (_, i) => Math.sin(i));
  using a = createMatrixFrom(backend, m, d, values);
  using b = createMatrixFrom(backend, d, d, values.length >= d * d ? values.subarray(0, d * d) : new Float64Array(d * d).fill(0.5));
  using out = backend.createMatrix(m, d);
  const product = async (): Promise<number> => {
    const start = performance.now();
    gemm(a, b, out);
    await backend.settled();
    return performance.now() - start;
  };
  await product();
  const milliseconds: number[] = [];
  for (const end = performance.now() + 150; performance.now() < end || milliseconds.length === 0;) milliseconds.push(await product());
  const median = milliseconds.sort((x, y) => x - y)[milliseconds.length >> 1] ?? 1;
  return (2 * m * d * d) / (Math.max(1e-3, median) / 1000);
}
