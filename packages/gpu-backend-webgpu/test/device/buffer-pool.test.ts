/** On a device that is a few functions: exhaustion cannot be had on demand from a real one. */
import { describe, expect, it } from 'vitest';
import { createCounters } from '../../src/counters.ts';
import { BufferPool } from '../../src/device/buffer-pool.ts';
import { DeviceHealth } from '../../src/device/device-health.ts';

/** A device that runs out of memory beyond `room` bytes. */
function deviceWith(room: number): { device: GPUDevice; lose: (message: string) => void; destroyed: number[] } {
  const destroyed: number[] = [];
  const scopes: string[] = [];
  let lose: (message: string) => void = () => undefined;
  let exhausted = false;
  const lost = new Promise<object>((resolve) => {
    lose = (message) => resolve({ reason: 'unknown', message });
  });
  const device = {
    lost,
    pushErrorScope: (filter: string) => scopes.push(filter),
    popErrorScope: () =>
      Promise.resolve(scopes.pop() === 'out-of-memory' && exhausted ? { message: 'no more room' } : null),
    createBuffer: ({ size }: { size: number }) => {
      exhausted = size > room;
      return { size, destroy: () => destroyed.push(size) };
    },
  } as unknown as GPUDevice;
  return { device, lose, destroyed };
}

function poolOver(room: number): {
  pool: BufferPool;
  health: DeviceHealth;
  lose: (message: string) => void;
  destroyed: number[];
  created: () => number;
} {
  const { device, lose, destroyed } = deviceWith(room);
  const [health, counters] = [new DeviceHealth(device), createCounters()];
  const pool = new BufferPool(device, health, counters, { usage: 0, maxBytes: 2 ** 30 });
  return { pool, health, lose, destroyed, created: () => counters.buffersCreated };
}

describe('BufferPool', () => {
  it('hands out a returned buffer of the same size class again', () => {
    const { pool, created } = poolOver(2 ** 40);
    const { block, fresh } = pool.acquire(100_000, 'a test');
    expect([fresh, block.bytes % 256, block.bytes >= 100_000, block.bytes <= 112_500]).toEqual([true, 0, true, true]);
    expect(pool.release(block)).toBeUndefined();
    expect(pool.acquire(99_000, 'a test')).toEqual({ block, fresh: false });
    expect(pool.acquire(99_000, 'a test').fresh).toBe(true);
    expect(created()).toBe(2);
  });

  it('keeps no more than 256 MiB, and leaves the rest to its caller to destroy', () => {
    const { pool, destroyed } = poolOver(2 ** 40);
    const blocks = [1, 2, 3].map(() => pool.acquire(100 * 2 ** 20, 'a test').block);
    expect(blocks.map((block) => pool.release(block) === undefined)).toEqual([true, true, false]);
    pool.close();
    expect(destroyed).toEqual([104 * 2 ** 20, 104 * 2 ** 20]);
  });

  it('refuses at once what no buffer may have', () => {
    const { pool, created } = poolOver(2 ** 40);
    expect(() => pool.acquire(2 ** 30 + 4, 'createMatrix: 2×3')).toThrow(
      'createMatrix: 2×3 is 1073741828 bytes, a buffer here may have 1073741824',
    );
    expect(created()).toBe(0);
  });

  it('makes a failure of what the device finds it has no room for, with the size', async () => {
    const { pool, health } = poolOver(1000);
    pool.acquire(500, 'small');
    pool.acquire(5000, 'createMatrix: 50×25');
    pool.acquire(6000, 'another');
    await health.examined();
    expect(health.failure).toMatchObject({
      code: 'out-of-memory',
      message: 'createMatrix: 50×25 (5000 bytes): the device has no room for it: no more room',
    });
    expect(() => health.check()).toThrow('createMatrix: 50×25');
  });
});

describe('DeviceHealth', () => {
  it('ends waiting for a device that is lost', async () => {
    const { health, lose } = poolOver(0);
    const waiting = health.awaitPromise(new Promise(() => undefined));
    lose('unplugged');
    await expect(waiting).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining('unknown: unplugged'),
    });
    await expect(health.awaitPromise(new Promise(() => undefined))).rejects.toMatchObject({ code: 'device-lost' });
    await health.examined();
  });

  it('takes a rejection without a known reason for a loss, and the first failure stays', async () => {
    const { health } = poolOver(0);
    await expect(health.awaitPromise(Promise.reject(new Error('mapping failed')))).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining('mapping failed'),
    });
    await expect(health.awaitPromise(Promise.reject(new Error('again')))).rejects.toThrow('mapping failed');
  });
});
