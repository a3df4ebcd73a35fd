// A loss of your own, one expression of ‖o‖², Σo and the target's output: the layer trains it exactly, at a cost that does
// not depend on the 200,000 classes. This one is Bouchard's upper bound of the log-softmax loss.
import { add, scale, softplus, sqrt, subtract } from '@vastmax/autodiff';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import { singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, defineSphericalLoss } from '@vastmax/spherical-losses';

const bouchard = defineSphericalLoss({
  name: 'bouchard',
  perTarget: ({ s, squaredDeviations, output, classes }) => {
    const mean = scale(s, 1 / classes);
    const deviation = sqrt(scale(squaredDeviations, 1 / classes));
    const bound = subtract(softplus(deviation), scale(deviation, 0.5));
    return subtract(add(mean, scale(bound, classes)), output);
  },
});

const [examples, features, classes] = [4, 8, 200_000];
const backend = createPlainBackend();
const values = Float64Array.from({ length: examples * features }, (_, i) => Math.cos(i * i));
const hidden = createMatrixFrom(backend, examples, features, values);
const targets = singleTargets(Int32Array.of(3, 70_000, 150_000, 199_999), classes);
const layer = await createFactoredOutputLayer(backend, { classes, features, loss: bouchard, initialScale: 0.01 });

const excess = async (losses) => {
  // Outputs that are all 0 have a loss of D log 2.
  const mean = (await read(losses)).reduce((sum, loss) => sum + loss, 0) / examples;
  return (mean - classes * Math.log(2)).toFixed(1);
};
for (let step = 0; step <= 200; step++) {
  const { losses } = await layer.step(hidden, targets, { learningRate: 0.5 });
  if (step % 100 === 0) console.log(`step ${step}: loss − D log 2 = ${await excess(losses)}`);
}
const { classes: best } = await topK(layer, hidden, 1);
console.log(`the best classes are ${[...best].join(', ')}`);
