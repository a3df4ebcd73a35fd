// One training loop, five output layers: each is a line.
import { createHybridOutputLayer } from '@vastmax/hybrid-layer';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import { createAdaptiveSoftmaxLayer, createFullSoftmaxLayer, createSampledSoftmaxLayer } from '@vastmax/softmax-losses';
import { singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';
import { adagradRule } from '@vastmax/update-rules';

const [examples, features, classes] = [16, 16, 2000];
const backend = createPlainBackend();
const values = Float64Array.from({ length: examples * features }, (_, i) => Math.cos(i * i));
const hidden = createMatrixFrom(backend, examples, features, values);
const targets = singleTargets(
  Int32Array.from({ length: examples }, (_, i) => i * i),
  classes,
);
// How often each class occurs: Zipf's law.
const frequencies = Float64Array.from({ length: classes }, (_, i) => 1000 / (i + 1));
const rule = adagradRule();
const loss = zLoss({ a: 0.1, b: 10 });

const layers = {
  factored: [1, createFactoredOutputLayer(backend, { classes, features, loss })],
  hybrid: [1, createHybridOutputLayer(backend, { features, frequencies, headSize: 100 })],
  full: [0.2, createFullSoftmaxLayer(backend, { classes, features, rule })],
  adaptive: [0.2, createAdaptiveSoftmaxLayer(backend, { classes, features, rule })],
  sampled: [0.2, createSampledSoftmaxLayer(backend, { classes, features, rule, frequencies, samples: 50 })],
};

for (const [name, [learningRate, creating]] of Object.entries(layers)) {
  const layer = await creating;
  const meanLoss = async () => {
    const losses = await read(await layer.evaluate(hidden, targets));
    return (losses.reduce((sum, value) => sum + value, 0) / examples).toFixed(1);
  };
  const before = await meanLoss();
  for (let step = 0; step < 100; step++) await layer.step(hidden, targets, { learningRate });
  const best = await topK(layer, hidden, 1);
  const right = targets.indices.filter((target, i) => best.classes[i] === target).length;
  console.log(`${name}: loss ${before} → ${await meanLoss()}, ${right} of ${examples} right`);
  layer[Symbol.dispose]();
}
