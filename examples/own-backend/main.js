// A backend that is another one with a kernel of its own: here the product of matrices, in f64 and as three plain loops,
// which counts what it does. The suite that every backend passes checks it; then a layer trains on it as on any other.
import { checkBackend, conformanceCases } from '@vastmax/backend-conformance';
import { createMatrixFrom, createPlainBackend, hostArray } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';

let products = 0;

/** out = alpha · op(a) · op(b) + beta · out */
function gemm(a, b, out, { alpha, beta, transposeA, transposeB }) {
  products++;
  const [x, y, z] = [hostArray(a), hostArray(b), hostArray(out)];
  const inner = transposeA ? a.rows : a.columns;
  for (let i = 0; i < out.rows; i++)
    for (let j = 0; j < out.columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum +=
          x[transposeA ? k * a.columns + i : i * a.columns + k] * y[transposeB ? j * b.columns + k : k * b.columns + j];
      const at = i * out.columns + j;
      // What `out` holds does not count where beta is 0, NaN included.
      z[at] = alpha * sum + (beta === 0 ? 0 : beta * z[at]);
    }
}

const createBackend = () => Object.assign(createPlainBackend({ precision: 'f64' }), { gemm });

const cases = conformanceCases.filter(({ id }) => id.startsWith('gemm/'));
const { status, outcomes } = await checkBackend({ name: 'three loops', create: createBackend }, { cases });
console.log(`${outcomes.length} cases of products: ${status}`);

const [examples, features, classes] = [4, 8, 10_000];
const backend = createBackend();
const values = Float64Array.from({ length: examples * features }, (_, i) => Math.cos(i * i));
const hidden = createMatrixFrom(backend, examples, features, values);
const layer = await createFactoredOutputLayer(backend, { classes, features, loss: zLoss({ a: 0.1, b: 10 }) });
products = 0;
await layer.step(hidden, singleTargets(Int32Array.of(1, 10, 100, 1000), classes), { learningRate: 0.5 });
console.log(`a step over ${classes} classes took ${products} products of matrices`);
