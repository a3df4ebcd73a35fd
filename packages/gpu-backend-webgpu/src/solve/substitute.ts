/**
 * WGSL of both substitutions, for the right-hand sides and, where the condition has to be computed, for the columns of
 * the identity, which gives ‖a⁻¹‖₁ exactly. Columns are independent: a thread computes one column, sixteen rows of it
 * in registers, and a workgroup of 64 shares only the current 16×16 block of the factors. The inverse costs as much as
 * n more right-hand sides, but no dispatch, and no time while the GPU has idle processors; an estimator like Hager's
 * would be a sequence of a dozen substitutions of one column. Columns are computed in a padded copy, so that no load or
 * store in the loops needs a branch. A column is n²/16² blocks of 256 multiply-adds, with four loads of a vec4 from
 * workgroup memory for sixteen of them, all lanes at one address.
 */
import { columnsPerStrip, factAt, panelWidth, solveParametersDeclaration } from './solve-layout.ts';

const threads = columnsPerStrip;
const components = ['x', 'y', 'z', 'w'] as const;
const four = [0, 1, 2, 3] as const;
const sixteen: readonly number[] = Array.from({ length: panelWidth }, (_, i) => i);

export const substituteEntry = 'substitute';

/**
 * Subtracts the block of the factors at (i, k) times rows k of the solution from sixteen rows of this thread's column.
 */
const subtractBlock = `      loadBlock(thread, i, k, everything);
      for (var c = 0u; c < 16u; c++) {
        let y = vec4f(solution[(k * 16u + c) * stride + place]);
${four.map((q) => `        x${q} = fma(-block[c * 4u + ${q}u], y, x${q});`).join('\n')}
      }`;

const solveLower = sixteen
  .flatMap((p) =>
    four
      .slice(p >> 2)
      .map((q) => `    x${q} = fma(-block[${4 * p + q}], vec4f(x${p >> 2}.${components[p & 3]}), x${q});`),
  )
  .join('\n');

const solveUpper = sixteen
  .toReversed()
  .flatMap((p) => [
    `    x${p >> 2}.${components[p & 3]} /= diagonal[${p}];`,
    ...four
      .slice(0, (p >> 2) + 1)
      .map((q) => `    x${q} = fma(-block[${4 * p + q}], vec4f(x${p >> 2}.${components[p & 3]}), x${q});`),
  ])
  .join('\n');

const rowAt = (r: number): string => `solution[start + ${r}u * stride]`;
const takeRows = `    let start = i * 16u * stride + place;
${four.map((q) => `    var x${q} = vec4f(${four.map((c) => rowAt(4 * q + c)).join(', ')});`).join('\n')}`;
const keepRows = four.flatMap((q) => components.map((c, at) => `    ${rowAt(4 * q + at)} = x${q}.${c};`)).join('\n');

/** @param hasSides false where there are no right-hand sides: only the inverse */
export function substituteCode(hasSides: boolean): string {
  const sides = hasSides
    ? `@group(0) @binding(5) var<storage, read> b: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;
`
    : '';
  return `${solveParametersDeclaration}
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> solution: array<f32>;
@group(0) @binding(4) var<storage, read_write> columnNorms: array<f32>;
${sides}
var<workgroup> block: array<vec4f, 64>;
var<workgroup> diagonal: array<f32, 16>;

const everything = 0u;
const belowDiagonal = 1u;
const aboveDiagonal = 2u;

/**
 * Rows of the pivots 16i … 16i + 15, columns 16k … 16k + 15, column by column; with a triangle of them the rest is
 * zero.
 */
fn loadBlock(thread: u32, i: u32, k: u32, part: u32) {
  let c = thread % 16u;
  let first = thread / 16u * 4u;
  var values = vec4f(${four.map((r) => `factor(i * 16u + first + ${r}u, k, c)`).join(', ')});
  let rows = vec4u(first) + vec4u(0u, 1u, 2u, 3u);
  if (part == belowDiagonal) { values = select(vec4f(), values, rows > vec4u(c)); }
  workgroupBarrier();
  if (part == aboveDiagonal) {
    if (thread < 16u) { diagonal[thread] = factor(i * 16u + thread, k, thread); }
    values = select(vec4f(), values, rows < vec4u(c));
  }
  block[c * 4u + thread / 16u] = values;
  workgroupBarrier();
}

fn factor(position: u32, k: u32, c: u32) -> f32 {
  return factors[(k * parameters.padded + order[position]) * 16u + c];
}

@compute @workgroup_size(${threads})
fn ${substituteEntry}(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let strip = group.x + group.y * grid.x;
  let isInverse = strip >= parameters.sideStrips;
  if (strip >= parameters.strips || (isInverse && ${factAt('needsInverse')} == 0u)) { return; }
  let column = (strip - select(0u, parameters.sideStrips, isInverse)) * ${threads}u + thread;
  let place = strip * ${threads}u + thread;
  let stride = parameters.strips * ${threads}u;
  let panels = parameters.padded / 16u;

  for (var position = 0u; position < parameters.padded; position++) {
    let row = order[position];
    var value = f32(isInverse && row == column);
${hasSides ? '    if (!isInverse && row < parameters.n && column < parameters.columns) { value = b[row * parameters.columns + column]; }\n' : ''}    solution[position * stride + place] = value;
  }

  for (var i = 0u; i < panels; i++) {
${takeRows}
    for (var k = 0u; k < i; k++) {
${subtractBlock}
    }
    loadBlock(thread, i, i, belowDiagonal);
${solveLower}
${keepRows}
  }

  for (var left = panels; left > 0u; left--) {
    let i = left - 1u;
${takeRows}
    for (var k = left; k < panels; k++) {
${subtractBlock}
    }
    loadBlock(thread, i, i, aboveDiagonal);
${solveUpper}
${keepRows}
  }

  if (isInverse) {
    var norm = 0.0;
    for (var row = 0u; row < parameters.n; row++) { norm += abs(solution[row * stride + place]); }
    if (column < parameters.n) { columnNorms[column] = norm; }
  }${
    hasSides
      ? ` else if (column < parameters.columns) {
    for (var row = 0u; row < parameters.n; row++) { out[row * parameters.columns + column] = solution[row * stride + place]; }
  }`
      : ''
  }
}
`;
}
