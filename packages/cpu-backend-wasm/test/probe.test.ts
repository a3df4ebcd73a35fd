/** What a page or an old engine would see: no WebAssembly, no SIMD, and a policy that forbids compiling. */
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findWebAssembly } from '../src/web-assembly.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('probeWasmBackend', () => {
  it('says SIMD and one thread where the kernels can run', () => {
    expect(probeWasmBackend()).toEqual({ available: true, detail: 'WebAssembly with 128-bit SIMD, f32, one thread' });
  });

  it('says that there is no WebAssembly, and creating says it too', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(probeWasmBackend()).toEqual({ available: false, reason: 'this engine has no WebAssembly' });
    await expect(createWasmBackend()).rejects.toMatchObject({ code: 'device-lost', message: expect.stringContaining('no WebAssembly') });
  });

  it('says that SIMD is missing where the engine refuses the kernels', () => {
    vi.stubGlobal('WebAssembly', { ...findWebAssembly(), validate: () => false });
    const result = probeWasmBackend();
    expect(result.available || result.reason).toContain('without 128-bit SIMD');
  });

  it('rejects with a typed error when the engine refuses to make an instance, and works when it no longer does', async () => {
    const Memory = findWebAssembly()?.Memory;
    const refuse = (): Promise<never> => Promise.reject(new Error('blocked by the policy'));
    vi.stubGlobal('WebAssembly', { Memory, compile: refuse, instantiate: refuse });
    await expect(createWasmBackend()).rejects.toMatchObject({ code: 'device-lost', message: expect.stringContaining('blocked by the policy') });
    vi.unstubAllGlobals();
    const backend = await createWasmBackend();
    expect(backend.disposed).toBe(false);
    await backend.dispose();
  });
});
