import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { CallGuard, type OutputLayerError, type StepResult } from '@vastmax/output-layer';
import { describe, expect, it } from 'vitest';

const matrix = createMatrixFrom(createPlainBackend(), 1, 1, [1]);
const result: StepResult = { losses: matrix, hiddenGradient: matrix };
const busy = {
  code: 'busy',
  message: 'naive scores: an earlier call, step, is still running; await it first',
};

/** A promise, and what ends it. */
function suspended<Value>(): { promise: Promise<Value>; resolve: (value: Value) => void; reject: (e: Error) => void } {
  let [resolve, reject]: [(value: Value) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const promise = new Promise<Value>((...ends) => {
    [resolve, reject] = ends;
  });
  return { promise, resolve, reject };
}

function stateOf(read: () => Promise<Float64Array>): ModuleState {
  return { configuration: {}, tensors: [{ name: 'weights', precision: 'f64', rows: 1, columns: 1, read }] };
}

describe('CallGuard', () => {
  it('keeps others out while a call is suspended, and lets them in when it failed', async () => {
    const calls = new CallGuard('naive');
    const { promise, reject } = suspended<undefined>();
    const running = calls.run('step', () => promise);
    expect(() => {
      calls.check('scores');
    }).toThrow(expect.objectContaining(busy));
    await expect(calls.run('evaluate', () => Promise.resolve())).rejects.toMatchObject({ code: 'busy' });
    reject(new Error('lost'));
    await expect(running).rejects.toThrow('lost');
    calls.check('scores');
  });

  it('lets nobody in between a call and those who wait for it', async () => {
    const calls = new CallGuard('naive');
    const { promise, resolve } = suspended<string>();
    const seen: string[] = [];
    const running = calls.run('step', () => promise).then(() => seen.push('read'));
    resolve('result');
    for (let turn = 0; seen.length === 0; turn++) {
      try {
        calls.check('scores');
        seen.push('let in');
      } catch {
        await undefined;
      }
    }
    await running;
    expect(seen[0]).toBe('read');
  });

  it('leaves a failure that nobody waits for to the process', async () => {
    const calls = new CallGuard('naive');
    const failing = calls.run('step', () => Promise.reject(new Error('lost')));
    // The promise is the caller's own: no handler of the guard hides that it was rejected.
    await expect(failing).rejects.toThrow('lost');
  });

  it('holds a step until it is applied, and while that takes; it is applied once', async () => {
    const calls = new CallGuard('naive');
    const { promise, resolve } = suspended<StepResult>();
    const step = await calls.hold('step', () => Promise.resolve({ apply: () => promise }));
    expect(() => {
      calls.check('scores');
    }).toThrow('a prepared step is neither applied nor discarded yet');
    const applied = step.apply();
    expect(() => {
      calls.check('scores');
    }).toThrow(expect.objectContaining(busy));
    await expect(step.apply()).rejects.toMatchObject({ code: 'disposed' });
    resolve(result);
    expect(await applied).toBe(result);
    calls.check('scores');
    await expect(step.apply()).rejects.toThrow('the prepared step was applied or discarded before');
    step.discard();
    calls.check('scores');
  });

  it('holds no step that was discarded or could not be prepared', async () => {
    const calls = new CallGuard('naive');
    let discarded = 0;
    const step = await calls.hold('step', () => Promise.resolve({ apply: () => result, discard: () => discarded++ }));
    step.discard();
    step.discard();
    expect(discarded).toBe(1);
    calls.check('scores');
    await expect(calls.hold('step', () => Promise.reject(new Error('diverged')))).rejects.toThrow('diverged');
    calls.check('scores');
  });

  it('lets calls that only read run together, and keeps others out', async () => {
    const calls = new CallGuard('naive');
    const [first, second] = [suspended<number>(), suspended<number>()];
    const running = [calls.read('topK', () => first.promise), calls.read('ranksOf', () => second.promise)];
    calls.check('scores');
    await expect(calls.run('step', () => Promise.resolve())).rejects.toMatchObject({ code: 'busy' });
    expect(() => {
      calls.checkChange('addClasses');
    }).toThrow(expect.objectContaining({ code: 'busy' }));
    first.resolve(1);
    await running[0];
    await expect(calls.run('step', () => Promise.resolve())).rejects.toMatchObject({ code: 'busy' });
    second.resolve(2);
    expect(await Promise.all(running)).toEqual([1, 2]);
    await calls.run('step', () => Promise.resolve());
  });

  it('gives a state until the layer changes, and to a restore of itself', async () => {
    const calls = new CallGuard('naive');
    const state = calls.stateAsOfNow(stateOf(() => Promise.resolve(Float64Array.of(4))));
    const read = (): unknown => state.tensors[0]?.read(0, 1);
    await calls.run('evaluate', () => Promise.resolve());
    await calls.run('restore', () => {
      calls.willRestore(state);
      return Promise.resolve(read());
    });
    expect(await read()).toEqual(Float64Array.of(4));
    calls.checkChange('addClasses');
    await expect(read()).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining("'weights'") as string,
    });
  });

  it('refuses everything once it was closed, and releases what there is once', () => {
    const calls = new CallGuard('naive');
    let released = 0;
    calls.close(() => released++);
    calls.close(() => released++);
    expect(released).toBe(1);
    expect(() => {
      calls.check('state');
    }).toThrow(expect.objectContaining({ code: 'disposed', message: 'naive state: the layer was disposed' }));
  });

  it('releases after the running call, whose result is read before', async () => {
    const calls = new CallGuard('naive');
    const { promise, resolve } = suspended<string>();
    const events: string[] = [];
    const running = calls.run('step', () => promise).then(() => events.push('read'));
    calls.close(() => events.push('released'));
    resolve('result');
    await running;
    await new Promise<void>((done) => setTimeout(done, 0));
    expect(events).toEqual(['read', 'released']);
  });

  it('releases at once beside a prepared step, which then cannot be applied', async () => {
    const calls = new CallGuard('naive');
    const step = await calls.hold('step', () => Promise.resolve({ apply: () => result }));
    let released = 0;
    calls.close(() => released++);
    expect(released).toBe(1);
    step.discard();
    await expect(step.apply()).rejects.toMatchObject({ code: 'disposed' });
  });

  it('tells the other ranks of a refusal when its own call has ended, before those who wait for that go on', async () => {
    const calls = new CallGuard('naive');
    const { promise, resolve } = suspended<undefined>();
    const events: string[] = [];
    const action = async (localError?: OutputLayerError): Promise<void> => {
      events.push(localError?.code ?? 'begun');
      if (localError !== undefined) throw localError;
      await promise;
    };
    const first = calls.runCollectively('step', action).then(() => events.push('first ended'));
    const second = calls.runCollectively('step', action);
    expect(events).toEqual(['begun']);
    resolve(undefined);
    await expect(second).rejects.toMatchObject({ code: 'busy' });
    await first;
    expect(events).toEqual(['begun', 'busy', 'first ended']);
  });
});
