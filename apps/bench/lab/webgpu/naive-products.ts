/**
 * The first two steps of a product on a GPU: a thread for each element, and the same with tiles shared in workgroup
 * memory.
 */
import { parametersDeclaration, resultDeclaration, type TiledProduct } from '@vastmax/gpu-backend-webgpu/testing';

type Transposes = Pick<TiledProduct, 'transposeA' | 'transposeB'>;

const operands = `${parametersDeclaration}
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
${resultDeclaration(3, 'f32', false)}`;

const elementOfA = ({ transposeA }: Transposes): string =>
  transposeA ? 'a[p * parameters.m + row]' : 'a[row * parameters.k + p]';
const elementOfB = ({ transposeB }: Transposes): string =>
  transposeB ? 'b[column * parameters.k + p]' : 'b[p * parameters.n + column]';

/** 8×8 threads, each reads a line of both operands from memory. */
export function naiveProduct(transposes: Transposes): string {
  return `${operands}
@compute @workgroup_size(8, 8)
fn multiply(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let row = id.y;
  if (row >= parameters.m || column >= parameters.n) { return; }
  var sum = 0.0;
  for (var p = 0u; p < parameters.k; p++) { sum += ${elementOfA(transposes)} * ${elementOfB(transposes)}; }
  give(row * parameters.n + column, sum);
}
`;
}

/** 16×16 threads bring 16×16 elements of both operands into workgroup memory, where each is read sixteen times. */
export function sharedProduct(transposes: Transposes): string {
  return `${operands}
var<workgroup> tileA: array<f32, 256>;
var<workgroup> tileB: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn multiply(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = id.x;
  let row = id.y;
  var sum = 0.0;
  for (var first = 0u; first < parameters.k; first += 16u) {
    var p = first + local.x;
    tileA[local.y * 16u + local.x] = 0.0;
    if (row < parameters.m && p < parameters.k) { tileA[local.y * 16u + local.x] = ${elementOfA(transposes)}; }
    p = first + local.y;
    tileB[local.y * 16u + local.x] = 0.0;
    if (column < parameters.n && p < parameters.k) { tileB[local.y * 16u + local.x] = ${elementOfB(transposes)}; }
    workgroupBarrier();
    for (var term = 0u; term < 16u; term++) { sum += tileA[local.y * 16u + term] * tileB[term * 16u + local.x]; }
    workgroupBarrier();
  }
  if (row < parameters.m && column < parameters.n) { give(row * parameters.n + column, sum); }
}
`;
}
