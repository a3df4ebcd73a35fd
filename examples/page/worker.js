// Trains a factored output layer over 500,000 classes with the WebAssembly backend.
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createMatrixFrom, read } from '@vastmax/linalg-core';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';

const [examples, features, classes] = [64, 64, 500_000];
const backend = await createWasmBackend();
const layer = await createFactoredOutputLayer(backend, { classes, features, loss: zLoss({ a: 0.1, b: 10 }), seed: 1 });
const random = new RandomGenerator(2);
const values = Float32Array.from({ length: examples * features }, () => random.normal());
const hidden = createMatrixFrom(backend, examples, features, values);
const targets = singleTargets(
  Int32Array.from({ length: examples }, () => random.integer(classes)),
  classes,
);

const stepsAReport = 20;
for (let step = stepsAReport; step <= 400; step += stepsAReport) {
  const begin = performance.now();
  let losses;
  for (let i = 0; i < stepsAReport; i++) ({ losses } = await layer.step(hidden, targets, { learningRate: 0.5 }));
  const loss = (await read(losses)).reduce((sum, value) => sum + value, 0) / examples;
  postMessage({ step, loss, milliseconds: (performance.now() - begin) / stepsAReport });
}
