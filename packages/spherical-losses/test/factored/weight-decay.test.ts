import { runExactness, judgeExactness } from '@vastmax/spherical-losses/testing';
import { describe, expect, it } from 'vitest';

describe('weight decay', () => {
  it.each(['f64', 'f32'] as const)('neither under- nor overflows U in 20,000 steps: %s', async (precision) => {
    // Each step shrinks U by 1 %: by itself to 1e-87, far below the smallest f32.
    const learningRate = 0.005;
    const result = await runExactness({
      loss: { name: 'taylor-softmax' },
      precision,
      learningRate,
      weightDecay: 0.01 / learningRate,
      steps: 20_000,
      initialScale: 0.3,
      classes: 30,
      width: 3,
      batch: 2,
      targets: 1,
    });
    expect(result.verification.condition).toBeLessThan(1e3);
    expect(judgeExactness(result, precision), JSON.stringify(result)).toMatchObject({ pass: true });
  });
});
