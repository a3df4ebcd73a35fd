/**
 * WGSL of LU with partial pivoting by one workgroup, in one dispatch: a column needs the one before it, and a dispatch
 * for each column would cost more than the arithmetic of the few hundred rows this is for. Panels of 16 columns,
 * left-looking: a panel is read once, updated with all panels before it, factorised, and written once, and its numbers
 * stay in registers meanwhile. A thread owns whole rows of it (one up to n = 256). No thread reads another thread's
 * rows from memory: shared rows (the sixteen pivot rows of a block, then one pivot row per column) go through workgroup
 * memory. Rows are not exchanged: `position` is the column for which a row has become the pivot, or `free`. Registers
 * cannot be indexed, so a loop over sixteen of them rotates them: it processes the first, and moves it behind the last.
 * Of equal pivots the first row is chosen, so results are reproducible. Quotients of equal numbers are made exact,
 * since a division in WGSL may have an error of 2.5 ulps and equal rows have to cancel: this is how a singular matrix
 * is detected.
 * Source: Golub and Van Loan, Matrix Computations, 4th ed., §3.4; the panel in registers after Haidar et al. (IJHPCA
 * 29(2), 2015).
 * Rejected: Gauss-Jordan, which needs no substitution but loses the small residual; inverting the diagonal blocks, for
 * the same reason; code with the sixteen columns unrolled, or with many branches in a loop: SwiftShader needs minutes
 * and gigabytes to compile it; updating the columns behind a panel by other workgroups, which at n = 300 costs two
 * dispatches per panel and, by the count of operations per thread, is faster only from n = 1000 on.
 */
import { factAt, magnitudeDeclaration, nearIdentity, panelWidth, solveParametersDeclaration } from './solve-layout.ts';

const components = ['x', 'y', 'z', 'w'] as const;
const four = [0, 1, 2, 3] as const;
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const sixteen = upTo(panelWidth);

type Line = (r: number) => string;

/** The code for each of a thread's rows, concatenated. */
const forRows = (rows: readonly number[], text: Line): string => rows.map(text).join('\n');
const forQuads = (text: (q: number) => string): string => four.map(text).join('\n');

/**
 * blockU = L⁻¹·blockU, four columns per thread: row p is complete when it is first; the others are rotated by one.
 */
const solveBlock = `fn solveBlock(thread: u32) {
${sixteen.map((i) => `  var u${i} = blockU[${4 * i}u + thread];`).join('\n')}
  for (var p = 0u; p < 16u; p++) {
    let done = u0;
${sixteen
  .slice(1)
  .map((i) => `    u${i - 1} = fma(vec4f(-blockL[p * 16u + (p + ${i}u) % 16u]), done, u${i});`)
  .join('\n')}
    u15 = done;
  }
${sixteen.map((i) => `  blockU[${4 * i}u + thread] = u${i};`).join('\n')}
}`;

/** Applies the pivots of `block` to the panel: their own rows become U, and L·U is subtracted from the rows below. */
function applyBlock(rows: readonly number[]): string {
  const share: Line = (r) => `      if (isPresent${r} && position${r} / 16u == block) {
        let line = position${r} % 16u;
${forQuads((q) => `        blockU[line * 4u + ${q}u] = v${r}_${q};`)}
        for (var s = 0u; s < 4u; s++) {
          let l = select(vec4f(), factors[base${r} + s], s * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(line));
${four.map((c) => `          blockL[s * 64u + ${16 * c}u + line] = l.${components[c]};`).join('\n')}
        }
      }`;
  const take: Line = (r) => `      let isBelow${r} = isPresent${r} && position${r} / 16u > block;
      if (isPresent${r} && position${r} / 16u == block) {
        let source = position${r} % 16u * 4u;
${forQuads((q) => `        v${r}_${q} = blockU[source + ${q}u];`)}
      }`;
  const load: Line = (r) => `        let l${r} = select(vec4f(), factors[base${r} + s], isBelow${r});`;
  const subtract = four.flatMap((c) =>
    four.flatMap((q) => [
      `        let u${c}${q} = blockU[s * 16u + ${4 * c + q}u];`,
      ...rows.map((r) => `        v${r}_${q} = fma(vec4f(-l${r}.${components[c]}), u${c}${q}, v${r}_${q});`),
    ]),
  );
  return `${forRows(rows, (r) => `      let base${r} = (block * parameters.padded + min(row${r}, parameters.padded - 1u)) * 4u;`)}
${forRows(rows, share)}
      workgroupBarrier();
      if (thread < 4u) { solveBlock(thread); }
      workgroupBarrier();
${forRows(rows, take)}
      for (var s = 0u; s < 4u; s++) {
${forRows(rows, load)}
${subtract.join('\n')}
      }
      workgroupBarrier();`;
}

/**
 * Eliminates the column that is first in the registers: chooses its pivot, shares that row, subtracts it from the free
 * rows, and rotates all by one.
 */
function eliminateColumn(rows: readonly number[]): string {
  const offer: Line = (r) => `      if (isPresent${r} && position${r} == free) {
        let candidate = magnitude(v${r}_0.x);
        if (row == noRow || candidate > key) { key = candidate; row = row${r}; }
      }`;
  // Columns that were rotated behind the last one are complete: the pivot row must not change them.
  const share: Line = (r) => `      if (isPresent${r} && row${r} == pivotRow) {
        position${r} = panel * 16u + column;
${forQuads((q) => `        pivotLine[${q}] = select(vec4f(), v${r}_${q}, vec4u(${4 * q}u, ${4 * q + 1}u, ${4 * q + 2}u, ${4 * q + 3}u) < vec4u(16u - column));`)}
      }`;
  const subtract: Line = (r) => `      if (isPresent${r} && position${r} == free) {
        let factor = quotient(v${r}_0.x, pivotLine[0].x);
${forQuads((q) => `        v${r}_${q} = fma(vec4f(-factor), pivotLine[${q}], v${r}_${q});`)}
        v${r}_0.x = factor;
      }
      let first${r} = v${r}_0.x;
${four
  .slice(0, 3)
  .map((q) => `      v${r}_${q} = vec4f(v${r}_${q}.yzw, v${r}_${q + 1}.x);`)
  .join('\n')}
      v${r}_3 = vec4f(v${r}_3.yzw, first${r});`;
  return `      var key = 0u;
      var row = noRow;
${forRows(rows, offer)}
      let pivotRow = choosePivot(thread, key, row);
${forRows(rows, share)}
      workgroupBarrier();
      isSingular = isSingular || magnitude(pivotLine[0].x) == 0u;
${forRows(rows, subtract)}`;
}

export const factoriseEntry = 'factorise';

/** How many threads share the rows of a system, and how many rows each owns. */
export interface Sharing {
  readonly threads: 64 | 128 | 256;
  readonly rowsPerThread: number;
}

/**
 * One thread per row for up to 256 rows, and as few idle threads as possible: all threads synchronize at every column.
 */
export function sharingOf(padded: number): Sharing {
  const threads = padded <= 64 ? 64 : padded <= 128 ? 128 : 256;
  return { threads, rowsPerThread: Math.ceil(padded / threads) };
}

export function factoriseCode({ threads, rowsPerThread }: Sharing): string {
  const rows = upTo(rowsPerThread);
  return `${solveParametersDeclaration}
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> factors: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> order: array<u32>;

const free = 0xffffffffu;
const noRow = 0xffffffffu;
var<workgroup> keys: array<u32, ${threads}>;
var<workgroup> rows: array<u32, ${threads}>;
var<workgroup> bestKeys: array<u32, 16>;
var<workgroup> bestRows: array<u32, 16>;
var<workgroup> pivotLine: array<vec4f, 4>;
/** Sixteen rows of this panel, and sixteen columns of L, one after another, zero down to the diagonal. */
var<workgroup> blockU: array<vec4f, 64>;
var<workgroup> blockL: array<f32, 256>;

${magnitudeDeclaration}

fn quotient(x: f32, pivot: f32) -> f32 {
  return select(x / pivot, sign(x) * sign(pivot), abs(x) == abs(pivot));
}

/** An element of a, padded with the identity. */
fn element(row: u32, column: u32) -> f32 {
  let last = parameters.n - 1u;
  return select(f32(row == column), a[min(row, last) * parameters.n + min(column, last)], max(row, column) <= last);
}

${solveBlock}

/**
 * The row of the largest key, the first one if several are equal: sixteen threads compare sixteen candidates each, then
 * all threads compare the sixteen results.
 */
fn choosePivot(thread: u32, key: u32, row: u32) -> u32 {
  keys[thread] = key;
  rows[thread] = row;
  workgroupBarrier();
  if (thread < 16u) {
    var bestKey = key;
    var bestRow = row;
    for (var i = thread + 16u; i < ${threads}u; i += 16u) {
      if (keys[i] > bestKey || (keys[i] == bestKey && rows[i] < bestRow)) { bestKey = keys[i]; bestRow = rows[i]; }
    }
    bestKeys[thread] = bestKey;
    bestRows[thread] = bestRow;
  }
  workgroupBarrier();
  var bestKey = bestKeys[0];
  var bestRow = bestRows[0];
  for (var i = 1u; i < 16u; i++) {
    if (bestKeys[i] > bestKey || (bestKeys[i] == bestKey && bestRows[i] < bestRow)) { bestKey = bestKeys[i]; bestRow = bestRows[i]; }
  }
  return bestRow;
}

/** ‖a‖₁ and ‖I − a‖₁ into keys[0] and rows[0], as bits. */
fn measureColumns(thread: u32) {
  var norm = 0u;
  var distance = 0u;
  for (var column = thread; column < parameters.n; column += ${threads}u) {
    var sum = 0.0;
    var rest = 0.0;
    for (var row = 0u; row < parameters.n; row++) {
      let value = a[row * parameters.n + column];
      sum += abs(value);
      rest += abs(f32(row == column) - value);
    }
    norm = max(norm, magnitude(sum));
    distance = max(distance, magnitude(rest));
  }
  keys[thread] = norm;
  rows[thread] = distance;
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      keys[thread] = max(keys[thread], keys[thread + half]);
      rows[thread] = max(rows[thread], rows[thread + half]);
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(${threads})
fn ${factoriseEntry}(@builtin(local_invocation_index) thread: u32) {
  measureColumns(thread);
  let norm = keys[0];
  let distance = rows[0];
  workgroupBarrier();

  var isSingular = false;
${forRows(rows, (r) => `  let row${r} = thread + ${threads * r}u;\n  let isPresent${r} = row${r} < parameters.padded;\n  var position${r} = free;`)}
  let panels = parameters.padded / 16u;
  for (var panel = 0u; panel < panels; panel++) {
${forRows(rows, (r) => forQuads((q) => `    var v${r}_${q} = vec4f(${four.map((c) => `element(row${r}, panel * 16u + ${4 * q + c}u)`).join(', ')});`))}
    for (var block = 0u; block < panel; block++) {
${applyBlock(rows)}
    }
    for (var column = 0u; column < 16u; column++) {
${eliminateColumn(rows)}
    }
${forRows(rows, (r) => `    if (isPresent${r}) {\n      let to = (panel * parameters.padded + row${r}) * 4u;\n${forQuads((q) => `      factors[to + ${q}u] = v${r}_${q};`)}\n    }`)}
  }
${forRows(rows, (r) => `  if (isPresent${r}) { order[position${r}] = row${r}; }`)}
  if (thread == 0u) {
    ${factAt('norm')} = norm;
    ${factAt('distance')} = distance;
    ${factAt('isSingular')} = u32(isSingular);
    ${factAt('needsInverse')} = u32(!isSingular && !(bitcast<f32>(distance) <= ${nearIdentity}));
  }
}
`;
}
