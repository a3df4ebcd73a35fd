// A model of TensorFlow.js, and behind it a factored output layer over 50,000 classes in place of a dense one.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { createMatrixFrom, createPlainBackend, read, write } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';

tf.enableProdMode(); // prints no advice
const [examples, inputs, width, classes] = [8, 4, 16, 50_000];
const random = new RandomGenerator(1);
const data = tf.tensor2d(
  Float32Array.from({ length: examples * inputs }, () => random.normal()),
  [examples, inputs],
);
const wanted = Int32Array.from({ length: examples }, (_, i) => i * 6007);
const targets = singleTargets(wanted, classes);

const dense = (seed) => ({ units: width, activation: 'tanh', kernelInitializer: initializers.glorotNormal({ seed }) });
const body = sequential({
  layers: [layers.dense({ ...dense(1), inputShape: [inputs] }), layers.dense(dense(2))],
});
const optimizer = tf.train.adam(0.01);

const backend = createPlainBackend();
const output = await createFactoredOutputLayer(backend, { classes, features: width, loss: zLoss(), seed: 2 });
const hidden = createMatrixFrom(backend, examples, width, new Float32Array(examples * width));

for (let step = 0; step <= 20; step++) {
  const activations = body.predict(data);
  write(await activations.data(), hidden);
  // One exact step of the output layer: its own update, and the gradient of the loss with respect to the activations.
  const { losses, hiddenGradient } = await output.step(hidden, targets, { learningRate: 0.05 });
  const gradient = tf.tensor2d(Float32Array.from(await read(hiddenGradient)), [examples, width]);
  // The body's weights change as with the loss itself: the gradient of Σ activations ∘ gradient is its chain rule.
  optimizer.minimize(() => tf.sum(tf.mul(body.apply(data, { training: true }), gradient)));
  tf.dispose([activations, gradient]);
  const mean = (await read(losses)).reduce((sum, loss) => sum + loss, 0) / examples;
  if (step % 10 === 0) console.log(`step ${step}: loss ${mean.toFixed(2)}`);
}

write(await body.predict(data).data(), hidden);
const { classes: best } = await topK(output, hidden, 1);
console.log(`it names ${[...best].join(', ')}`);
