import { describe, expect, it } from 'vitest';
import { prefetchFromWorker } from '../../src/node/prefetch-from-worker.ts';
import { isSparseDataError } from '../../src/errors.ts';
import { thrownBy } from '../thrown-by.ts';

interface Item {
  readonly at: number;
  readonly buffer: Int32Array;
}

const module = new URL('fixtures/worker-stream.mjs', import.meta.url);

async function failureOf(
  from: URL,
  data: unknown,
): Promise<{ code: string; message: string; cause: unknown; seen: number }> {
  let seen = 0;
  try {
    for await (const item of prefetchFromWorker<Item>(from, { data })) if (item.at >= 0) seen++;
  } catch (error) {
    if (isSparseDataError(error)) return { code: error.code, message: error.message, cause: error.cause, seen };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('prefetchFromWorker', () => {
  it.each([1, 4])('gives all items in order, each with a buffer of its own, at depth %d', async (depth) => {
    const items: Item[] = [];
    const ahead = prefetchFromWorker<Item>(module, { data: { count: 200 }, depth });
    for await (const item of ahead) items.push(item);
    expect(items).toEqual(Array.from({ length: 200 }, (_, at) => ({ at, buffer: new Int32Array(4).fill(at) })));
    expect(ahead.waitingTime()).toMatchObject({ items: 200 });
  });

  it('ends the worker when the loop is left early', async () => {
    for await (const { at } of prefetchFromWorker<Item>(module, { data: { count: 1e9 } })) if (at === 5) break;
  });

  it('passes on what the stream throws, after the items before it, and the end of its thread', async () => {
    expect(await failureOf(module, { count: 10, failAt: 3 })).toMatchObject({
      code: 'worker-failed',
      message: `prefetchFromWorker: ${module.href}: no item 3`,
      cause: expect.any(RangeError) as RangeError,
      seen: 3,
    });
    expect(await failureOf(module, { count: 10, exitAt: 0 })).toMatchObject({
      code: 'worker-failed',
      message: `prefetchFromWorker: ${module.href}: the worker ended with code 3 before its stream did`,
      seen: 0,
    });
  });

  it('says what is wrong with a module', async () => {
    const absent = new URL('fixtures/absent.mjs', import.meta.url);
    expect((await failureOf(absent, undefined)).message).toMatch(
      /^prefetchFromWorker: file:.*absent\.mjs: Cannot find module/,
    );
    const none = new URL('data:text/javascript,export default 7');
    expect((await failureOf(none, undefined)).message).toContain(
      'its default export is number; a function that gives an iterable is needed',
    );
    expect(await thrownBy(() => prefetchFromWorker(module, { depth: 0 }))).toContain(
      'bad-option: prefetchFromWorker: depth is 0',
    );
  });
});
