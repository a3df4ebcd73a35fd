import { describe, expect, it } from 'vitest';
import { createPlainBackend, Workspace, type Backend } from '../../src/index.ts';

/** Counts created handles. */
function countingBackend(): { backend: Backend; created: () => number } {
  const backend = createPlainBackend();
  let count = 0;
  for (const key of ['createMatrix', 'createIndices'] as const) {
    const original = backend[key].bind(backend) as (...sizes: number[]) => unknown;
    Object.defineProperty(backend, key, {
      value: (...sizes: number[]) => {
        count++;
        return original(...sizes);
      },
    });
  }
  return { backend, created: () => count };
}

describe('Workspace', () => {
  it('gives the same handle for a name, in the shape asked for', () => {
    using workspace = new Workspace(createPlainBackend());
    const first = workspace.matrix('a', 4, 5);
    const second = workspace.matrix('a', 5, 2);
    expect(second).toBe(first);
    expect([second.rows, second.columns, second.capacity]).toEqual([5, 2, 20]);
    expect(workspace.matrix('b', 5, 2)).not.toBe(first);
  });

  it('grows by half at least, and disposes what has become too small', () => {
    const backend = createPlainBackend();
    using workspace = new Workspace(backend);
    const small = workspace.matrix('a', 10, 10);
    const grown = workspace.matrix('a', 10, 11);
    expect(small.disposed).toBe(true);
    expect([grown.rows, grown.columns, grown.capacity]).toEqual([10, 11, 150]);
    expect(workspace.matrix('a', 100, 10).capacity).toBe(1000);
    expect(backend.memory().matrices).toBe(1);
  });

  it('holds index lists with the values of the step', () => {
    using workspace = new Workspace(createPlainBackend());
    const first = workspace.indices('rows', Int32Array.of(3, 1, 2));
    const second = workspace.indices('rows', Int32Array.of(9, 8, 7), 2);
    expect(second).toBe(first);
    expect([second.count, second.maximum]).toEqual([2, 9]);
    const third = workspace.indices('rows', Int32Array.of(0, 1, 2, 3));
    expect(first.disposed).toBe(true);
    expect([third.count, third.capacity]).toEqual([4, 5]);
  });

  it('creates no handle after warm-up, however the sizes vary', () => {
    const { backend, created } = countingBackend();
    using workspace = new Workspace(backend);
    const step = (index: number): void => {
      const rows = 1 + ((index * 7919) % 64);
      workspace.matrix('hidden', rows, 16);
      workspace.matrix('square', 16, 16);
      workspace.indices('targets', new Int32Array(rows));
    };
    for (let index = 0; index < 64; index++) step(index);
    const afterWarmUp = created();
    for (let index = 64; index < 1000; index++) step(index);
    expect(created()).toBe(afterWarmUp);
    // log₁.₅ 64 is 10: growth by half reaches any size in a few steps.
    expect(afterWarmUp).toBeLessThanOrEqual(2 * 11 + 1);
  });

  it('disposes everything', () => {
    const backend = createPlainBackend();
    const workspace = new Workspace(backend);
    workspace.matrix('a', 3, 3);
    workspace.indices('b', Int32Array.of(1));
    workspace[Symbol.dispose]();
    workspace[Symbol.dispose]();
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });
});
