import { createPlainBackend } from '@vastmax/linalg-core';
import { updateRuleNames } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';
import { largestError, normals, rowsOf, valuesOf } from '../numbers.ts';
import { GradientSteps, type TableTouch } from './gradient-steps.ts';

const columns = 2;
const matrixStart = normals(3 * columns, 1);
const tableStart = normals(7 * columns, 2);
const matrixGradient = normals(3 * columns, 3);
const touches: readonly TableTouch[] = [
  { indices: [1, 4], rows: normals(4, 4) },
  { indices: [6], rows: normals(2, 5) },
];

function createSteps(
  options: { readonly clipNorm?: number; readonly weightDecay?: number },
  rule = 'sgd',
): GradientSteps {
  return new GradientSteps(createPlainBackend({ precision: 'f64' }), rule, matrixStart, tableStart, columns, options);
}

const norm = Math.hypot(...matrixGradient, ...touches.flatMap(({ rows }) => [...rows]));

describe('clipNorm', () => {
  it.each([norm / 3, norm * 3])('scales all gradients together down to the norm %d, and never up', async (clipNorm) => {
    using steps = createSteps({ clipNorm });
    steps.step(0.5, touches, matrixGradient);
    const rate = 0.5 * Math.min(1, clipNorm / norm);
    expect(
      largestError(
        await valuesOf(steps.matrix.value),
        matrixStart.map((w, i) => w - rate * matrixGradient[i]!),
      ),
    ).toBeLessThan(1e-14);
    const expected = tableStart.slice();
    for (const { indices, rows } of touches) {
      for (const [i, gradient] of rows.entries())
        expected[indices[Math.floor(i / columns)]! * columns + (i % columns)]! -= rate * gradient;
    }
    expect(largestError(await rowsOf(steps.table.table), expected)).toBeLessThan(1e-14);
  });

  it('leaves weights alone where there is no gradient, or only zeros', async () => {
    using steps = createSteps({ clipNorm: 1 });
    steps.step(0.5, []);
    steps.step(0.5, [], new Float64Array(3 * columns));
    expect(await valuesOf(steps.matrix.value)).toEqual(matrixStart);
  });
});

describe('weightDecay', () => {
  it.each(updateRuleNames)(
    'shrinks the weights beside the step of %s, and of the table the touched rows once each',
    async (rule) => {
      const repeated: TableTouch[] = [...touches, { indices: [4, 4], rows: normals(4, 6) }];
      using plain = createSteps({}, rule);
      using decayed = createSteps({ weightDecay: 0.1 }, rule);
      for (const steps of [plain, decayed]) steps.step(0.5, repeated, matrixGradient);
      const shrink = 0.5 * 0.1;
      expect(
        largestError(
          await valuesOf(decayed.matrix.value),
          (await valuesOf(plain.matrix.value)).map((w, i) => w - shrink * matrixStart[i]!),
        ),
      ).toBeLessThan(1e-14);
      const expected = (await rowsOf(plain.table.table)).map(
        (w, i) => w - ([1, 4, 6].includes(Math.floor(i / columns)) ? shrink * tableStart[i]! : 0),
      );
      expect(largestError(await rowsOf(decayed.table.table), expected)).toBeLessThan(1e-14);
    },
  );
});

it.each([
  [{ clipNorm: 0 }, 'optimizer: clipNorm must be above 0, got 0'],
  [{ clipNorm: Number.NaN }, 'optimizer: clipNorm must be above 0, got NaN'],
  [{ weightDecay: -1 }, 'optimizer: weightDecay must be a finite number of at least 0, got -1'],
])('an optimizer refuses %j', (options, message) => {
  expect(() => createSteps(options)).toThrow(message);
});

it('clipping and decay create no handle after warm-up', () => {
  const backend = createPlainBackend();
  using steps = new GradientSteps(backend, 'adam', matrixStart, tableStart, columns, { clipNorm: 1, weightDecay: 0.1 });
  for (let i = 0; i < 3; i++) steps.step(0.1, touches, matrixGradient);
  const warm = backend.memory();
  for (let i = 0; i < 9; i++) steps.step(0.1, touches, matrixGradient);
  expect(backend.memory()).toEqual(warm);
});
