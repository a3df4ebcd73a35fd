// The pages under test, each with the flags of its browser.

export interface Site {
  /** The name of the backend in REQUIRE_BACKENDS. */
  readonly backend: string;
  /** The page's script. */
  readonly entry: URL;
  readonly flags: readonly string[];
}

/** Pages that report a PageReport. */
export const wasmSite: Site = { backend: 'wasm-browser', entry: new URL('page/main.ts', import.meta.url), flags: [] };

/** Flags for the software WebGPU device SwiftShader. */
export const webGpuFlags: readonly string[] = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** Pages that report a CheckReport. */
export const webGpuConformanceSite: Site = {
  backend: 'webgpu-chromium',
  entry: new URL('page/webgpu-conformance.ts', import.meta.url),
  flags: webGpuFlags,
};

/** Pages that report a WebGpuTrainingReport. */
export const webGpuTrainingSite: Site = {
  backend: 'webgpu-chromium',
  entry: new URL('page/webgpu-training.ts', import.meta.url),
  flags: webGpuFlags,
};

/** A page whose script throws while the page loads. */
export const failingSite: Site = {
  backend: 'wasm-browser',
  entry: new URL('page/failing.ts', import.meta.url),
  flags: [],
};

/** A page that saves a checkpoint, reloads, and reports a SavedCheckpointReport. */
export const savedCheckpointSite: Site = {
  backend: 'wasm-browser',
  entry: new URL('page/saved-checkpoint.ts', import.meta.url),
  flags: [],
};
