import { createPlainBackend } from '@vastmax/linalg-core';
import { createFactoredOutputLayer, zLoss } from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';

describe('memory of a created layer', () => {
  it('is 4Dd bytes, 4 bytes a class for the epochs of rows, and O(d²)', async () => {
    const classes = 200_000;
    const width = 64;
    const backend = createPlainBackend();
    let peak = 0;
    for (const create of ['createMatrix', 'createTable', 'createIndices'] as const) {
      const original: (...sizes: never[]) => unknown = backend[create];
      Object.assign(backend, {
        [create]: (...sizes: never[]) => {
          const handle = original.apply(backend, sizes);
          peak = Math.max(peak, backend.memory().bytes);
          return handle;
        },
      });
    }
    using layer = await createFactoredOutputLayer(backend, { classes, features: width - 1, loss: zLoss() });
    const table = 4 * classes * width;
    const generations = layer.state().tensors.find(({ name }) => name === 'generations');
    expect([generations?.precision, generations?.rows, generations?.columns]).toEqual(['i32', classes, 1]);
    // Squares of U, its inverse, Q and their spares, and blocks of 1,024 rows while Q is summed.
    const blocks = 4 * 4 * 1024 * width;
    expect(backend.memory().bytes).toBeLessThan(table + 40 * 4 * width * width + blocks);
    expect(backend.memory().bytes).toBeGreaterThanOrEqual(table);
    expect(peak + 4 * classes).toBeLessThan(1.25 * table);
    expect(backend.memory().tables).toBe(1);
  });
});
