import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import { CallGuard, type StepResult } from '@vastmax/output-layer';
import { describe, expect, it } from 'vitest';

const matrix = createMatrixFrom(createPlainBackend(), 1, 1, [1]);
const result: StepResult = { losses: matrix, hiddenGradient: matrix };
const busy = { code: 'busy', message: 'naive scores: an earlier call is still running; await it first' };

describe('CallGuard', () => {
  it('keeps others out while a call is suspended, and lets them in when it failed', async () => {
    const calls = new CallGuard('naive');
    let lose = (): void => undefined;
    const promise = new Promise<void>((_resolve, reject) => {
      lose = () => reject(new Error('lost'));
    });
    const running = calls.exclusively(() => promise);
    expect(() => calls.check('scores')).toThrow(expect.objectContaining(busy));
    lose();
    await expect(running).rejects.toThrow('lost');
    calls.check('scores');
  });

  it('holds a step until it is applied, and while that takes', async () => {
    const calls = new CallGuard('naive');
    let finish = (): void => undefined;
    const promise = new Promise<StepResult>((resolve) => {
      finish = () => resolve(result);
    });
    const step = await calls.hold(() => Promise.resolve({ apply: () => promise }));
    expect(() => calls.check('scores')).toThrow(expect.objectContaining(busy));
    const applied = step.apply();
    expect(() => calls.check('scores')).toThrow(expect.objectContaining(busy));
    finish();
    expect(await applied).toBe(result);
    calls.check('scores');
  });

  it('holds no step that was discarded or could not be prepared', async () => {
    const calls = new CallGuard('naive');
    let discarded = 0;
    const step = await calls.hold(() => Promise.resolve({ apply: () => result, discard: () => discarded++ }));
    step.discard();
    expect(discarded).toBe(1);
    calls.check('scores');
    await expect(calls.hold(() => Promise.reject(new Error('diverged')))).rejects.toThrow('diverged');
    calls.check('scores');
  });

  it('refuses everything once it was closed, which happens once', () => {
    const calls = new CallGuard('naive');
    expect([calls.isClosed, calls.close(), calls.close(), calls.isClosed]).toEqual([false, true, false, true]);
    expect(() => calls.check('state')).toThrow(
      expect.objectContaining({ code: 'disposed', message: 'naive state: the layer was disposed' }),
    );
  });
});
