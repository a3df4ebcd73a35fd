/** Kernels that change part of a matrix: some columns, the diagonal, and the sum of a matrix and its transpose. */
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { dispatchOf, groupsFor, packUniforms, threadsPerGroup } from './plain-dispatch.ts';

const main = `@compute @workgroup_size(${threadsPerGroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u)`;
const stride = `groups.x * ${threadsPerGroup}u`;

const copyColumnsText = /* wgsl */ `
struct Parameters { items: u32, count: u32, aColumns: u32, aColumn: u32, outColumns: u32, outColumn: u32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;

${main} {
  for (var i = id.x; i < parameters.items; i += ${stride}) {
    let row = i / parameters.count;
    let column = i - row * parameters.count;
    result[row * parameters.outColumns + parameters.outColumn + column] = a[row * parameters.aColumns + parameters.aColumn + column];
  }
}
`;

export interface CopyColumnsOptions {
  readonly rows: number;
  readonly count: number;
  readonly sourceColumns: number;
  readonly sourceColumn: number;
  readonly outColumns: number;
  readonly outColumn: number;
}

export function planCopyColumns(options: CopyColumnsOptions): readonly KernelDispatch[] {
  const { rows, count, sourceColumns, sourceColumn, outColumns, outColumn } = options;
  const uniforms = packUniforms([rows * count, count, sourceColumns, sourceColumn, outColumns, outColumn]);
  return [dispatchOf(copyColumnsText, groupsFor(rows * count), uniforms, ['a', 'out'])];
}

const addDiagonalText = /* wgsl */ `
struct Parameters { size: u32, value: f32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

${main} {
  for (var i = id.x; i < parameters.size; i += ${stride}) {
    result[i * (parameters.size + 1u)] += parameters.value;
  }
}
`;

export function planAddDiagonal(size: number, value: number): readonly KernelDispatch[] {
  return [dispatchOf(addDiagonalText, groupsFor(size), packUniforms([size], [value]), ['out'])];
}

const mirrorAddText = /* wgsl */ `
struct Parameters { size: u32, alpha: f32, beta: f32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

${main} {
  for (var i = id.x; i < parameters.size * parameters.size; i += ${stride}) {
    let row = i / parameters.size;
    let column = i - row * parameters.size;
    let both = parameters.alpha * (a[i] + a[column * parameters.size + row]);
    if (parameters.beta == 0.0) {
      result[i] = both;
    } else {
      result[i] = both + parameters.beta * result[i];
    }
  }
}
`;

/** out = alpha·(a + aᵀ) + beta·out; a and out size×size. */
export function planMirrorAdd(size: number, alpha: number, beta: number): readonly KernelDispatch[] {
  return [dispatchOf(mirrorAddText, groupsFor(size * size), packUniforms([size], [alpha, beta]), ['a', 'out'])];
}
