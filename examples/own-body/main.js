// A model of your own: two dense layers recorded on a tape, and a factored output layer over 50,000 classes behind them.
import { matmul, tanh, Tape } from '@vastmax/autodiff';
import { openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { axpy, createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { matrixTensor, restoreMatrix } from '@vastmax/linalg-core/state';
import { topK } from '@vastmax/output-layer';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';

const [examples, inputs, width, classes] = [8, 4, 16, 50_000];
const random = new RandomGenerator(1);
const backend = createPlainBackend();
const normals = (count) => Float64Array.from({ length: count }, () => random.normal());
const randomMatrix = (rows, columns) => createMatrixFrom(backend, rows, columns, normals(rows * columns));

async function createModel() {
  const options = { classes, features: width, loss: zLoss({ a: 0.1, b: 10 }), seed: 2 };
  const output = await createFactoredOutputLayer(backend, options);
  return { first: randomMatrix(inputs, width), second: randomMatrix(width, width), output };
}

const data = randomMatrix(examples, inputs);
const wanted = Int32Array.from({ length: examples }, (_, i) => i * 6007);
const targets = singleTargets(wanted, classes);
const tape = new Tape(backend);

/** Records the body of the model; `backward` of the same tape then needs the gradient of what it returns. */
function body({ first, second }) {
  const [a, b] = [tape.variable(first), tape.variable(second)];
  return { parameters: [a, b], hidden: tanh(matmul(tanh(matmul(tape.constant(data), a)), b)) };
}

const model = await createModel();
for (let step = 0; step <= 300; step++) {
  const { parameters, hidden } = body(model);
  // One exact step of the output layer gives the losses, and the gradient for what is below it.
  const { losses, hiddenGradient } = await model.output.step(hidden.value, targets, { learningRate: 0.5 });
  tape.backward(hidden, hiddenGradient);
  for (const { value, gradient } of parameters) axpy(-0.05, gradient, value);
  tape.reset();
  const mean = (await read(losses)).reduce((sum, loss) => sum + loss, 0) / examples;
  if (step % 150 === 0) console.log(`step ${step}: loss ${mean.toFixed(2)}`);
}

const storage = createFileStorage('saved');
const tensors = ['first', 'second'].map((name) => matrixTensor(name, model[name]));
const modules = { body: { configuration: {}, tensors }, output: model.output.state() };
await writeCheckpoint(storage, { configuration: {}, modules });

const loaded = await createModel();
const checkpoint = await openCheckpoint(storage);
for (const name of ['first', 'second']) await restoreMatrix(checkpoint.module('body'), name, loaded[name]);
await loaded.output.restore(checkpoint.module('output'));
await checkpoint[Symbol.asyncDispose]();

const { classes: best } = await topK(loaded.output, body(loaded).hidden.value, 1);
console.log(`loaded again, it names ${[...best].join(', ')}`);
