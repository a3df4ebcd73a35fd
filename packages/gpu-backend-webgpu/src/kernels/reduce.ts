/**
 * Sums and maxima. A workgroup reduces a segment: its threads read it in strides, and their results are combined in a
 * tree, so the order of summation is fixed and its error grows with the logarithm. Segments that are longer than a few
 * workgroups can read at once are reduced in two stages, with partial results in scratch.
 */
import type { ReduceOperation } from '@vastmax/linalg-core';
import type { BindingRole, KernelDispatch } from '../kernel-dispatch.ts';
import { dispatchOf, groupsFor, memoized, packUniforms, threadsPerGroup } from './plain-dispatch.ts';
import { specialNumbers } from './special-numbers.ts';

/** Segments up to this length are reduced by one thread each. */
const shortSegment = 24;
/** Minimum count of numbers that a workgroup reduces in the first of two stages. */
const longSegment = 4096;
const maxPartials = 256;
/** Rows that one workgroup reads when columns are reduced. */
const rowsPerChunk = 256;

/** `dot` is Σ a·b. */
type Summand = ReduceOperation | 'dot';

const loads: Readonly<Record<Summand, string>> = {
  sum: 'a[i]',
  maximum: 'a[i]',
  sumSquares: 'a[i] * a[i]',
  dot: 'a[i] * b[i]',
};

/** out_s = Σ over segment s of a (or a·b), segments of `length` of `total` numbers one after another. */
function planSegments(
  summand: Summand,
  segments: number,
  length: number,
  total: number,
  from: readonly BindingRole[],
  to: BindingRole,
): KernelDispatch {
  const uniforms = packUniforms([segments, length, total]);
  if (length <= shortSegment) return dispatchOf(shortText(summand), groupsFor(segments), uniforms, [...from, to]);
  return dispatchOf(segmentText(summand), groupsFor(segments, 1), uniforms, [...from, to]);
}

/** The rows of a rows×columns matrix, or all of it as one row. */
export function planReduceRows(summand: Summand, rows: number, columns: number): readonly KernelDispatch[] {
  const from: readonly BindingRole[] = summand === 'dot' ? ['a', 'b'] : ['a'];
  if (rows > 1 || columns <= 2 * longSegment)
    return [planSegments(summand, rows, columns, rows * columns, from, 'out')];
  const length = Math.max(longSegment, Math.ceil(columns / maxPartials));
  const partials = Math.ceil(columns / length);
  const first = { ...planSegments(summand, partials, length, columns, from, 'scratch0'), scratchBytes: [4 * partials] };
  return [first, planSegments(summand === 'maximum' ? 'maximum' : 'sum', 1, partials, partials, ['scratch0'], 'out')];
}

/** Reduces the columns of a rows×columns matrix. */
export function planReduceColumns(
  operation: ReduceOperation,
  rows: number,
  columns: number,
): readonly KernelDispatch[] {
  const groups = Math.min(65_535, Math.ceil(columns / 64));
  const stage = (
    what: ReduceOperation,
    length: number,
    perChunk: number,
    from: BindingRole,
    to: BindingRole,
  ): KernelDispatch =>
    dispatchOf(columnText(what), [groups, Math.ceil(length / perChunk), 1], packUniforms([length, columns, perChunk]), [
      from,
      to,
    ]);
  if (rows <= 2 * rowsPerChunk) return [stage(operation, rows, rows, 'a', 'out')];
  const perChunk = Math.max(rowsPerChunk, Math.ceil(rows / maxPartials));
  const chunks = Math.ceil(rows / perChunk);
  const first = { ...stage(operation, rows, perChunk, 'a', 'scratch0'), scratchBytes: [4 * chunks * columns] };
  return [first, stage(operation === 'maximum' ? 'maximum' : 'sum', chunks, chunks, 'scratch0', 'out')];
}

function combining(summand: Summand): string {
  if (summand !== 'maximum')
    return 'fn initial() -> f32 { return 0.0; }\nfn combine(x: f32, y: f32) -> f32 { return x + y; }';
  // A NaN must be kept; max may drop it.
  return /* wgsl */ `${specialNumbers}
fn initial() -> f32 { return -infinity(); }
fn combine(x: f32, y: f32) -> f32 { return select(select(max(x, y), y, isNaN1(y)), x, isNaN1(x)); }`;
}

function segmentHead(summand: Summand): string {
  const dot = summand === 'dot';
  return /* wgsl */ `${combining(summand)}
struct Parameters { segments: u32, length: u32, total: u32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> a: array<f32>;
${dot ? '@group(0) @binding(2) var<storage, read> b: array<f32>;' : ''}
@group(0) @binding(${dot ? 3 : 2}) var<storage, read_write> result: array<f32>;`;
}

const shortText = memoized(
  (summand) => /* wgsl */ `${segmentHead(summand as Summand)}
@compute @workgroup_size(${threadsPerGroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var segment = id.x; segment < parameters.segments; segment += groups.x * ${threadsPerGroup}u) {
    var value = initial();
    let begin = segment * parameters.length;
    let end = min(begin + parameters.length, parameters.total);
    for (var i = begin; i < end; i++) { value = combine(value, ${loads[summand as Summand]}); }
    result[segment] = value;
  }
}
`,
);

const segmentText = memoized(
  (summand) => /* wgsl */ `${segmentHead(summand as Summand)}
var<workgroup> partial: array<f32, ${threadsPerGroup}>;

@compute @workgroup_size(${threadsPerGroup})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32, @builtin(num_workgroups) groups: vec3u) {
  for (var segment = group.x; segment < parameters.segments; segment += groups.x) {
    var value = initial();
    let begin = segment * parameters.length;
    let end = min(begin + parameters.length, parameters.total);
    for (var i = begin + thread; i < end; i += ${threadsPerGroup}u) { value = combine(value, ${loads[summand as Summand]}); }
    partial[thread] = value;
    workgroupBarrier();
    for (var half = ${threadsPerGroup / 2}u; half > 0u; half = half / 2u) {
      if (thread < half) { partial[thread] = combine(partial[thread], partial[thread + half]); }
      workgroupBarrier();
    }
    if (thread == 0u) { result[segment] = partial[0]; }
    workgroupBarrier();
  }
}
`,
);

const columnText = memoized(
  (operation) => /* wgsl */ `${combining(operation as ReduceOperation)}
struct Parameters { rows: u32, columns: u32, rowsPerChunk: u32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;
var<workgroup> partial: array<array<f32, 64>, 4>;

@compute @workgroup_size(64, 4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let begin = group.y * parameters.rowsPerChunk;
  let end = min(begin + parameters.rowsPerChunk, parameters.rows);
  for (var base = group.x * 64u; base < parameters.columns; base += groups.x * 64u) {
    let column = base + local.x;
    var value = initial();
    if (column < parameters.columns) {
      for (var row = begin + local.y; row < end; row += 4u) {
        let i = row * parameters.columns + column;
        value = combine(value, ${loads[operation as ReduceOperation]});
      }
    }
    partial[local.y][local.x] = value;
    workgroupBarrier();
    if (local.y == 0u && column < parameters.columns) {
      let low = combine(partial[0][local.x], partial[1][local.x]);
      result[group.y * parameters.columns + column] = combine(low, combine(partial[2][local.x], partial[3][local.x]));
    }
    workgroupBarrier();
  }
}
`,
);
