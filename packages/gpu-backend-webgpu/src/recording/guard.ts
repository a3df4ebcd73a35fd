/**
 * A guard on the device: one word, 1 or 0, that a small kernel computes from the flag and that every guarded kernel
 * tests first. The word is a uniform, so all threads of a kernel return together and barriers stay valid. Rejected:
 * indirect dispatches of no workgroups, which need no changed kernels, but implementations validate them with one more
 * dispatch each.
 */
import { createBlock, type BufferBlock } from '../device/buffer-block.ts';
import { bufferUsage } from '../device/buffer-usage.ts';
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { dispatchOf, memoized, packUniforms } from '../kernels/plain-dispatch.ts';

const guardBytes = 16;

const armText = /* wgsl */ `
struct Parameters { zero: u32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(1)
fn main() {
  // Bit pattern of a number above 0: not all bits 0, sign bit 0, not NaN.
  result[0] = select(0u, 1u, a[0] > parameters.zero && a[0] <= 0x7f800000u);
}
`;

/** Computes the word in `out` from the flag in `a`. */
export const armPlan: readonly KernelDispatch[] = [dispatchOf(armText, [1, 1, 1], packUniforms([0]), ['a', 'out'])];

/** The buffer of the word. */
export function createGuardBlock(device: GPUDevice): BufferBlock {
  const { storage, uniform, copySource } = bufferUsage;
  return createBlock(
    device.createBuffer({ size: guardBytes, usage: storage | uniform | copySource }),
    0,
    guardBytes,
    false,
  );
}

/** The code of the kernel, changed so that it does nothing if the word in group 1 is 0. */
export function guardedCode({ code, entryPoint }: Pick<KernelDispatch, 'code' | 'entryPoint'>): string {
  return textOf(`${entryPoint}\n${code}`);
}

const textOf = memoized((key) => {
  const end = key.indexOf('\n');
  const entryPoint = key.slice(0, end);
  const code = key.slice(end + 1);
  const body = bodyOf(code, entryPoint);
  return `@group(1) @binding(0) var<uniform> guard: vec4u;\n${code.slice(0, body)} if (guard.x == 0u) { return; }${code.slice(body)}`;
});

/** Where the body of a function begins: after the brace that follows its parameters. */
function bodyOf(code: string, name: string): number {
  let at = code.search(new RegExp(`fn\\s+${name}\\s*\\(`));
  at = code.indexOf('(', at);
  for (let depth = 0; at < code.length; at++) {
    if (code[at] === '(') depth++;
    else if (code[at] === ')' && --depth === 0) break;
  }
  return code.indexOf('{', at) + 1;
}
