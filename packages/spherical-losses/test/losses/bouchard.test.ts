import { createMatrixFrom, createPlainBackend, read, write } from '@vastmax/linalg-core';
import { topK } from '@vastmax/output-layer';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import { createFactoredOutputLayer } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { bouchard } from './bouchard.ts';
import { applyLoss } from './loss-on-outputs.ts';

describe("a user's own loss: Bouchard's bound", () => {
  it('is above the log-softmax loss', async () => {
    const random = new RandomGenerator(2);
    for (let trial = 0; trial < 20; trial++) {
      const outputs = Float64Array.from({ length: 10 }, () => 2 * random.normal());
      const { value } = await applyLoss(bouchard, outputs, new Map([[3, 1]]));
      const logSoftmax = Math.log(outputs.reduce((sum, o) => sum + Math.exp(o), 0)) - outputs[3]!;
      expect(value).toBeGreaterThanOrEqual(logSoftmax - 1e-12);
    }
  });

  it('trains: its loss falls and it finds the class far more often than chance', async () => {
    const [classes, features, m] = [50, 8, 16];
    const random = new RandomGenerator(3);
    const directions = Float64Array.from({ length: classes * features }, () => random.normal());
    const backend = createPlainBackend();
    using layer = await createFactoredOutputLayer(backend, { classes, features, loss: bouchard });
    using hidden = backend.createMatrix(m, features);
    const nextTargets = (): Int32Array => {
      const targets = Int32Array.from({ length: m }, () => random.integer(classes));
      write(
        Float64Array.from(
          { length: m * features },
          (_, i) => directions[targets[Math.floor(i / features)]! * features + (i % features)]! + 0.2 * random.normal(),
        ),
        hidden,
      );
      return targets;
    };
    const course: number[] = [];
    for (let step = 0; step < 1500; step++) {
      const targets = nextTargets();
      const { losses } = await layer.step(
        hidden,
        csrFromLists(
          Array.from(targets, (target) => [target]),
          classes,
        ),
        { learningRate: 0.05 },
      );
      course.push(Array.from(await read(losses)).reduce((sum, loss) => sum + loss, 0) / m);
    }
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(course.slice(-50)) - mean(course.slice(0, 50))).toBeLessThan(-0.1);

    let hits = 0;
    for (let batch = 0; batch < 20; batch++) {
      const targets = nextTargets();
      const { classes: best } = await topK(layer, hidden, 1);
      hits += targets.reduce((count, target, j) => count + (best[j] === target ? 1 : 0), 0);
    }
    // Chance is 1 in 50: 6 of 320.
    expect(hits / (20 * m)).toBeGreaterThan(0.3);
    using same = createMatrixFrom(backend, 1, features, directions.subarray(0, features));
    expect((await topK(layer, same, 1)).classes.length).toBe(1);
  });
});
