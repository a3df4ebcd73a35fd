import { isLinalgError } from '@vastmax/linalg-core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WasmHeap, type HeapBlock } from '../src/heap.ts';
import { requireWebAssembly } from '../src/kernel-variants.ts';

const page = 65_536;

function createHeap(maxPages: number): WasmHeap {
  const { Memory } = requireWebAssembly();
  return new WasmHeap(new Memory({ initial: 1 }), maxPages * page);
}

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('WasmHeap', () => {
  it('hands out aligned blocks that are inside the memory, with a vector to spare, and do not overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ bytes: fc.nat(50_000), drop: fc.boolean() }), { maxLength: 60 }), (requests) => {
        const heap = createHeap(1000);
        const live: HeapBlock[] = [];
        for (const { bytes, drop } of requests) {
          const block = heap.allocate(bytes, 'test');
          expect(block.offset % 64).toBe(0);
          expect(block.bytes).toBeGreaterThanOrEqual(Math.max(1, bytes));
          expect(block.offset + block.bytes + 16).toBeLessThanOrEqual(heap.memory.buffer.byteLength);
          for (const other of live) {
            const apart = block.offset + block.bytes <= other.offset || other.offset + other.bytes <= block.offset;
            expect(apart, `${block.offset}+${block.bytes} and ${other.offset}+${other.bytes}`).toBe(true);
          }
          if (drop) heap.free(block);
          else live.push(block);
          if (live.length > 8) for (const freed of live.splice(0, 3)) heap.free(freed);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('loses at most an eighth to rounding beyond 512 bytes', () => {
    const heap = createHeap(64);
    for (const bytes of [513, 1000, 1025, 5000, 65_537, 1_000_001]) {
      expect(heap.allocate(bytes, 'test').bytes / bytes).toBeLessThanOrEqual(1.125);
    }
  });

  it('gives a freed block to the next request of its class', () => {
    const heap = createHeap(10);
    const first = heap.allocate(5000, 'first');
    heap.allocate(64, 'on top of it');
    heap.free(first);
    expect(heap.allocate(4990, 'again')).toBe(first);
  });

  it('gives zeros where a block was used before, and leaves the rest of the memory untouched', () => {
    const heap = createHeap(10);
    const dirty = heap.allocate(1000, 'first');
    heap.floats.fill(7, dirty.offset / 4, (dirty.offset + dirty.bytes) / 4);
    heap.free(dirty);
    const block = heap.allocateZeros(3000, 'again');
    expect(block.offset).toBe(dirty.offset);
    expect(heap.floats.subarray(block.offset / 4, block.offset / 4 + 750).every((value) => value === 0)).toBe(true);
  });

  it('does not grow when the same sizes come and go', () => {
    const heap = createHeap(1000);
    const step = (): void => {
      const blocks = [100_000, 64, 250_000, 3000].map((bytes) => heap.allocate(bytes, 'step'));
      for (const block of blocks) heap.free(block);
    };
    step();
    const before = heap.memory.buffer.byteLength;
    for (let i = 0; i < 500; i++) step();
    expect(heap.memory.buffer.byteLength).toBe(before);
  });

  it('keeps its views on the memory when it grows', () => {
    const heap = createHeap(1000);
    const block = heap.allocate(8, 'small');
    heap.floats[block.offset / 4] = 1.5;
    const old = heap.floats;
    heap.allocate(5 * page, 'large');
    expect(old.length).toBe(0);
    expect(heap.floats[block.offset / 4]).toBe(1.5);
    expect(heap.integers.buffer).toBe(heap.memory.buffer);
  });

  it('says what was asked for when there is no room, and goes on', () => {
    const heap = createHeap(4);
    const before = heap.memory.buffer.byteLength;
    for (const bytes of [4 * page, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN]) {
      const error = caught(() => heap.allocate(bytes, 'createMatrix: 1×2'));
      expect(isLinalgError(error) && error.code).toBe('out-of-memory');
      expect(String(error)).toContain(`createMatrix: 1×2 needs ${bytes} bytes`);
    }
    expect(heap.memory.buffer.byteLength).toBe(before);
    expect(heap.allocate(2 * page, 'what fits').bytes).toBe(2 * page);
  });

  it('takes a larger free block when the memory cannot grow', () => {
    const heap = createHeap(4);
    const large = heap.allocate(2 * page, 'large');
    const larger = heap.allocate(page, 'small');
    heap.allocate(60_000, 'the rest');
    heap.free(large);
    heap.free(larger);
    expect(heap.allocate(40_000, 'of a class with no free block')).toBe(larger);
  });
});
