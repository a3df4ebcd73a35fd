/**
 * What a page or an old engine would see: no WebAssembly, no SIMD, no shared memory, and policies that forbid compiling
 * or workers.
 */
import { availableParallelism } from 'node:os';
import { createWasmBackend, probeWasmBackend } from '@vastmax/cpu-backend-wasm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findWebAssembly } from '../src/web-assembly.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.resetModules();
});

function detailOf(result: ReturnType<typeof probeWasmBackend>): string {
  return result.available ? result.detail : `unavailable: ${result.reason}`;
}

const cores = availableParallelism();

describe('probeWasmBackend', () => {
  it('says SIMD and the number of threads where the kernels can run', () => {
    const threads = cores === 1 ? 'one thread on one core' : `${cores} threads on ${cores} cores`;
    expect(detailOf(probeWasmBackend())).toMatch(
      new RegExp(`^WebAssembly with 128-bit SIMD( with fused multiply-add)?, f32, ${threads}$`),
    );
  });

  it('says that there is no WebAssembly, and creating says it too', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(probeWasmBackend()).toEqual({ available: false, reason: 'this engine has no WebAssembly' });
    await expect(createWasmBackend()).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining('no WebAssembly'),
    });
  });

  it('says that SIMD is missing where the engine refuses the kernels', () => {
    vi.stubGlobal('WebAssembly', { ...findWebAssembly(), validate: () => false });
    const result = probeWasmBackend();
    expect(result.available || result.reason).toContain('without 128-bit SIMD');
  });

  it('says that a page may not compile, which validating does not show', () => {
    const host = findWebAssembly();
    vi.stubGlobal('WebAssembly', {
      ...host,
      validate: (binary: Uint8Array) => host?.validate(binary),
      Module: function refuse() {
        throw new Error('blocked by the policy');
      },
    });
    expect(probeWasmBackend()).toEqual({
      available: false,
      reason:
        "this page may not compile WebAssembly: blocked by the policy; its Content-Security-Policy needs the source 'wasm-unsafe-eval'",
    });
  });

  it('rejects with a typed error when the engine refuses to make an instance, and works when it no longer does', async () => {
    const refuse = (): Promise<never> => Promise.reject(new Error('blocked by the policy'));
    const fresh = await import('../src/create-wasm-backend.ts?refused' as '../src/create-wasm-backend.ts');
    vi.stubGlobal('WebAssembly', {
      Memory: findWebAssembly()?.Memory,
      validate: () => true,
      compile: refuse,
      instantiate: refuse,
    });
    await expect(fresh.createWasmBackend()).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining('blocked by the policy'),
    });
    vi.unstubAllGlobals();
    const backend = await fresh.createWasmBackend();
    expect(backend.disposed).toBe(false);
    await backend.dispose();
  });
});

describe('a page that is not cross-origin isolated', () => {
  it('has one thread, and the probe names the headers', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    expect(detailOf(probeWasmBackend())).toContain(
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    );
    const backend = await createWasmBackend();
    expect(backend.name).toBe('wasm f32, 1 thread');
    await backend.dispose();
  });

  it('refuses threads that were asked for, with the way out', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    await expect(createWasmBackend({ threads: 4 })).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringMatching(
        /threads is 4, but this page has no shared memory.*Cross-Origin-Opener-Policy.*leave threads out/,
      ),
    });
    const backend = await createWasmBackend({ threads: 1 });
    await backend.dispose();
  });

  it('is recognised by the missing SharedArrayBuffer too', () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(detailOf(probeWasmBackend())).toContain('one thread of');
  });
});

describe('an engine whose workers are refused', () => {
  it('has one thread unless more were asked for, and the probe says so from then on', async () => {
    // A copy of its own: the refusal is remembered.
    const { createVariant } = await import('../src/create-wasm-backend.ts');
    const { probeWasmBackend: probe } = await import('../src/probe.ts');
    const getBuiltinModule = process.getBuiltinModule.bind(process);
    const Worker = vi.fn(function () {
      throw new Error('not allowed here');
    });
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) => {
      return name === 'node:worker_threads'
        ? { Worker }
        : name === 'node:os'
          ? { availableParallelism: () => 2 }
          : getBuiltinModule(name);
    }) as typeof process.getBuiltinModule);
    expect(detailOf(probe())).toContain('2 threads on 2 cores');
    const backend = await createVariant({ threads: undefined, relaxed: false });
    expect(backend.name).toBe('wasm f32, 1 thread');
    await backend.dispose();
    expect(detailOf(probe())).toMatch(
      /one thread of 2: starting a worker was refused: not allowed here; .*worker-src blob:.*--allow-worker/,
    );
    await expect(createVariant({ threads: 2, relaxed: false })).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining('not allowed here'),
    });
  });
});
