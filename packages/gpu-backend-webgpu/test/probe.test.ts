/** What a machine without a GPU, or with a poor one, would see. The reasons need no GPU to be tested. */
import { createWebGpuBackend, probeWebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { afterEach, describe, expect, it, vi } from 'vitest';

const core = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBufferBindingSize: 2 ** 27,
};

function adapterWith(limits: object, words: object = {}): GPUAdapter {
  const info = { description: 'a drawing of a GPU', vendor: 'nobody', architecture: '', ...words };
  return { limits: { ...core, ...limits }, info, features: new Set() } as unknown as GPUAdapter;
}

function gpuWith(requestAdapter: () => Promise<GPUAdapter | null>): GPU {
  return { requestAdapter } as unknown as GPU;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe('probeWebGpuBackend', () => {
  it('says which adapter there is and how large a matrix may be', async () => {
    const gpu = gpuWith(() => Promise.resolve(adapterWith({})));
    expect(await probeWebGpuBackend({ gpu })).toEqual({
      available: true,
      software: false,
      detail: 'WebGPU on a drawing of a GPU, f32, up to 128 MiB a matrix',
    });
    const software = { adapter: adapterWith({}, { description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }) };
    expect(await probeWebGpuBackend(software)).toMatchObject({
      software: true,
      detail: 'WebGPU on llvmpipe (LLVM 15.0.6, 256 bits), a GPU in software, f32, up to 128 MiB a matrix',
    });
    const shy = { adapter: adapterWith({}, { description: '', vendor: '' }) };
    expect(await probeWebGpuBackend(shy)).toMatchObject({
      detail: expect.stringContaining('an adapter without a name'),
    });
  });

  it('takes an adapter of an old browser, which discloses nothing', async () => {
    const { limits, features } = adapterWith({});
    const adapter = { limits, features } as unknown as GPUAdapter;
    expect(await probeWebGpuBackend({ adapter })).toMatchObject({ available: true, software: false });
  });

  it('says that a browser has no WebGPU', async () => {
    const fresh = await import('../src/create-webgpu-backend.ts?browser' as '../src/create-webgpu-backend.ts');
    vi.stubGlobal('process', { env: process.env });
    expect(await fresh.probeWebGpuBackend()).toEqual({
      available: false,
      reason: 'this browser has no navigator.gpu: it is too old, or the page is neither https nor on localhost',
    });
  });

  it('says that Node lacks the package webgpu', async () => {
    vi.doMock('webgpu', () => {
      throw new Error("Cannot find package 'webgpu'");
    });
    const result = await probeWebGpuBackend();
    expect(result.available || result.reason).toMatch(
      /the optional package 'webgpu' could not be loaded: .*; npm install webgpu$/,
    );
    vi.doUnmock('webgpu');
  });

  it('says that there is no adapter, or that asking for one failed', async () => {
    const none = { gpu: gpuWith(() => Promise.resolve(null)) };
    expect(await probeWebGpuBackend(none)).toEqual({
      available: false,
      reason: 'WebGPU is available but has no adapter: no GPU, or no supported driver',
    });
    const failing = { gpu: gpuWith(() => Promise.reject(new Error('the GPU process is gone\nfor good'))) };
    expect(await probeWebGpuBackend(failing)).toEqual({
      available: false,
      reason: 'requesting a WebGPU adapter failed: the GPU process is gone',
    });
  });

  it('asks a fresh Dawn after one that found no adapter, and keeps one that did', async () => {
    const found: (GPUAdapter | null)[] = [null, adapterWith({})];
    const create = vi.fn(() => {
      const adapter = found.shift() ?? null;
      return gpuWith(() => Promise.resolve(adapter));
    });
    vi.doMock('webgpu', () => ({ create }));
    const fresh = await import('../src/create-webgpu-backend.ts?drivers' as '../src/create-webgpu-backend.ts');
    const probes = [
      await fresh.probeWebGpuBackend(),
      await fresh.probeWebGpuBackend(),
      await fresh.probeWebGpuBackend(),
    ];
    expect(probes.map(({ available }) => available)).toEqual([false, true, true]);
    expect(create).toHaveBeenCalledTimes(2);
    vi.doUnmock('webgpu');
  });

  it('names the limit that is too small, and creating does too', async () => {
    const adapter = adapterWith({ maxComputeInvocationsPerWorkgroup: 128 });
    const reason = "the adapter's maxComputeInvocationsPerWorkgroup is 128, 256 is needed";
    expect(await probeWebGpuBackend({ adapter })).toEqual({ available: false, reason });
    await expect(createWebGpuBackend({ adapter })).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining(reason),
    });
    const device = { limits: { ...core, maxStorageBuffersPerShaderStage: 4 } } as unknown as GPUDevice;
    await expect(createWebGpuBackend({ device })).rejects.toThrow(
      "the device's maxStorageBuffersPerShaderStage is 4, 8 is needed",
    );
  });
});
