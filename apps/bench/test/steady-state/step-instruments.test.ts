import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { HandleCounter, Stopwatch } from '../../src/steady-state/step-instruments.ts';

describe('HandleCounter', () => {
  it('counts matrices, tables and indices until it is disposed', () => {
    const backend = createPlainBackend();
    const counter = new HandleCounter(backend);
    backend.createMatrix(1, 1);
    backend.createTable(1, 1);
    backend.createIndices(1);
    counter[Symbol.dispose]();
    backend.createMatrix(1, 1);
    expect([counter.count, backend.memory().matrices]).toEqual([3, 2]);
  });
});

describe('Stopwatch', () => {
  it('adds up from begin to end, and begins again', () => {
    const stopwatch = new Stopwatch();
    stopwatch.onPhase('begin');
    stopwatch.onPhase('end');
    const first = stopwatch.milliseconds;
    stopwatch.onPhase('begin');
    stopwatch.onPhase('end');
    expect(first).toBeGreaterThanOrEqual(0);
    expect(stopwatch.milliseconds).toBeGreaterThanOrEqual(first);
    stopwatch.reset();
    expect(stopwatch.milliseconds).toBe(0);
  });
});
