import { describe, expect, it } from 'vitest';
import { OrderedWork } from '../../src/recording/ordered-work.ts';

/** A job that later ones wait for, and what ends it. */
function waiting(log: string[], name: string): { readonly job: () => Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    job: () => {
      log.push(`${name} begins`);
      return ended.then(() => void log.push(`${name} ends`));
    },
    end: () => end(),
  };
}

function noting(log: string[], name: string): () => undefined {
  return () => {
    log.push(name);
    return undefined;
  };
}

describe('OrderedWork', () => {
  it('runs jobs when they are given, until one has to wait', async () => {
    const log: string[] = [];
    const work = new OrderedWork(() => undefined);
    work.do(noting(log, 'first'));
    const [slow, slower] = [waiting(log, 'slow'), waiting(log, 'slower')];
    expect(work.blocked).toBe(false);
    work.do(slow.job);
    expect(work.blocked).toBe(true);
    for (const job of [noting(log, 'second'), slower.job, noting(log, 'third')]) work.do(job);
    expect(log).toEqual(['first', 'slow begins']);
    slow.end();
    await Promise.resolve().then(() => undefined);
    slower.end();
    await work.drained();
    expect(log).toEqual(['first', 'slow begins', 'slow ends', 'second', 'slower begins', 'slower ends', 'third']);
    expect(work.blocked).toBe(false);
  });

  it('throws to the caller of a job that runs at once, and reports one that had to wait', async () => {
    const log: string[] = [];
    const work = new OrderedWork((error) => void log.push(String(error)));
    const failing = (): never => {
      throw new Error('refused');
    };
    expect(() => work.do(failing)).toThrow('refused');
    const slow = waiting(log, 'slow');
    work.do(slow.job);
    work.do(failing);
    work.do(noting(log, 'after'));
    slow.end();
    await work.drained();
    expect(log).toEqual(['slow begins', 'slow ends', 'Error: refused', 'after']);
  });
});
