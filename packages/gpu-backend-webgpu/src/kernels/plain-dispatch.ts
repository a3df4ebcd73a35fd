/**
 * Shared by all kernels of this folder: uniforms in order, a one-dimensional grid of workgroups, and cached WGSL code.
 */
import type { BindingRole, KernelDispatch } from '../kernel-dispatch.ts';

export const threadsPerGroup = 256;
/** Maximum number of workgroups that every device allows in one dimension; kernels loop over the rest. */
const maxGroups = 65_535;

/** Words of 4 bytes, padded to a multiple of 16 bytes: whole numbers first, then f32. */
export function packUniforms(integers: readonly number[], floats: readonly number[] = []): ArrayBuffer {
  const words = integers.length + floats.length;
  const bytes = new ArrayBuffer(Math.max(16, Math.ceil(words / 4) * 16));
  new Uint32Array(bytes).set(integers);
  new Float32Array(bytes).set(floats, integers.length);
  return bytes;
}

/** Enough workgroups for a thread for each of `items`, up to the limit. */
export function groupsFor(items: number, perGroup: number = threadsPerGroup): readonly [number, number, number] {
  return [Math.min(maxGroups, Math.ceil(items / perGroup)), 1, 1];
}

export function dispatchOf(
  code: string,
  workgroups: KernelDispatch['workgroups'],
  uniforms: ArrayBuffer,
  bindings: readonly BindingRole[],
): KernelDispatch {
  return { code, entryPoint: 'main', workgroups, uniforms, bindings };
}

/** Calls `build` once for each key: the pipeline cache is keyed by the string. */
export function memoized(build: (key: string) => string): (key: string) => string {
  const texts = new Map<string, string>();
  return (key) => {
    let text = texts.get(key);
    if (text === undefined) texts.set(key, (text = build(key)));
    return text;
  };
}
