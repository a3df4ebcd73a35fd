import { describe, expect, it } from 'vitest';
import { WasmHeap } from '../src/heap.ts';
import { compileKernels, requireWebAssembly } from '../src/kernel-variants.ts';
import { gemmScratchBytes, instantiateKernels, solveScratchBytes, type Kernels } from '../src/kernels.ts';
import { createOwnMemory, createSharedMemory } from '../src/thread-support.ts';
import type { WasmMemory } from '../src/web-assembly.ts';

async function instantiate(memory: WasmMemory, threaded: boolean): Promise<Kernels> {
  return instantiateKernels(await compileKernels({ threaded, relaxed: false }), memory);
}

describe.each([false, true])('kernels, threaded: %s', (threaded) => {
  const create = (): WasmMemory =>
    threaded ? createSharedMemory(requireWebAssembly()).memory : createOwnMemory(requireWebAssembly());

  it('reach blocks beyond 2 GiB, where an offset is negative as a signed number', async () => {
    const memory = create();
    const [heap, kernels] = [new WasmHeap(memory), await instantiate(memory, threaded)];
    // Not touched, so no page of it is backed.
    heap.allocate(2 ** 31 + 2 ** 28, 'what is below');
    const [a, out, x, estimate] = [0, 1, 2, 3].map(() => heap.allocate(4 * 81, 'test').offset) as [
      number,
      number,
      number,
      number,
    ];
    const scratch = heap.allocate(Math.max(gemmScratchBytes, solveScratchBytes(9, 1)), 'test').offset;
    expect(a).toBeGreaterThan(2 ** 31);
    kernels.fill(0.5, a, 81);
    kernels.addDiagonal(1, a, 9);
    kernels.fill(2, x, 9);
    kernels.gemm(9, 9, 9, a, a, out, 0, 1, 1, 0, scratch);
    // (I + J/2)² = I + J + 9J/4 for J of ones.
    expect([...heap.floats.subarray(out >>> 2, (out >>> 2) + 11)].map((value) => value - 3.25)).toEqual([
      1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    expect(kernels.solve(9, 1, a, x, estimate, scratch)).toBeGreaterThan(0.01);
    for (const value of heap.floats.subarray(estimate >>> 2, (estimate >>> 2) + 9))
      expect(value).toBeCloseTo(2 / 5.5, 6);
    kernels.unary(10, x, out, 9);
    kernels.reduceRows(0, out, 1, 9, estimate);
    expect(heap.floats[estimate >>> 2]).toBe(36);
  });

  it('are compiled without memory of their own, tables or starts', async () => {
    const memory = create();
    const kernels = await instantiate(memory, threaded);
    expect(Object.values(kernels).every((kernel) => typeof kernel === 'function')).toBe(true);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  });
});
