import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSolve } from '../../src/solve/solve-dispatch.ts';

const limits = { maxComputeWorkgroupsPerDimension: 65_535 };

describe('planSolve', () => {
  it('takes three dispatches up to the sizes a minibatch has', () => {
    for (const [n, columns] of [
      [1, 1],
      [32, 300],
      [128, 300],
      [300, 300],
      [512, 64],
    ] as const) {
      expect(
        planSolve(n, columns, limits).map(({ entryPoint }) => entryPoint),
        `${n}, ${columns}`,
      ).toEqual(['factorise', 'substitute', 'estimateCondition']);
    }
  });

  it('computes the condition alone where there are no right-hand sides', () => {
    expect(planSolve(4, 0, limits).flatMap(({ bindings }) => bindings)).not.toContain('b');
    expect(planSolve(0, 3, limits).map(({ bindings }) => bindings)).toEqual([['reciprocalCondition']]);
  });

  it('stays within the limits, and says the same scratch in every dispatch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 16, max: 40 }),
        (n, columns, most) => {
          const plan = planSolve(n, columns, { maxComputeWorkgroupsPerDimension: most });
          const [first] = plan;
          for (const { workgroups, bindings, scratchBytes = [], uniforms } of plan) {
            expect(Math.max(...workgroups)).toBeLessThanOrEqual(most);
            expect(bindings.length).toBeLessThanOrEqual(8);
            expect(new Set(bindings).size).toBe(bindings.length);
            expect(scratchBytes).toEqual(first?.scratchBytes);
            expect(uniforms.byteLength % 16).toBe(0);
          }
        },
      ),
    );
  });

  it('hands over the same text for systems that the same number of threads shares', () => {
    const textOf = (n: number): string | undefined => planSolve(n, 5, limits)[0]?.code;
    expect(textOf(64)).toBe(textOf(3));
    expect(textOf(256)).toBe(textOf(130));
    expect(textOf(300)).not.toBe(textOf(256));
  });
});
