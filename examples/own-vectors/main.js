// Vectors of an encoder of your own, 200,000 labels: least squares in one pass.
import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import { topClasses } from '@vastmax/lm-models';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { fitRidge } from '@vastmax/spherical-losses';

// In place of an encoder: noise around the centre of each example's label.
const random = new RandomGenerator(1);
const centres = Float32Array.from({ length: 200 * 64 }, () => random.normal());
const vectors = Float32Array.from({ length: 5000 * 64 }, (_, i) => centres[i % (200 * 64)] + 0.5 * random.normal());
const labels = Int32Array.from({ length: 5000 }, (_, i) => 997 * (i % 200));

const backend = createPlainBackend();
const batches = [{ hidden: vectors, targets: singleTargets(labels, 200_000) }];
const fit = await fitRidge(backend, batches, { classes: 200_000, features: 64 });
const layer = await fit.createLayer();

const { classes } = await topClasses(layer, createMatrixFrom(backend, 200, 64, vectors.subarray(0, 200 * 64)), 1);
const right = classes.filter((label, i) => label === labels[i]).length;
console.log(`the best of ${layer.classes} labels is right for ${right} of 200 vectors`);
