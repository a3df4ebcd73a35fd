/**
 * WGSL of the tiled product, generated for one tile size, one pair of transposes and one alignment of each operand.
 *
 * A workgroup of 8×8 threads computes a tile of 32 or 64 rows and columns; a thread computes one or two 4×4 blocks in
 * each direction, 32 apart, so that the eight threads of a row read eight adjacent vec4. The sums are named vec4
 * variables, not an array, because an indexed array may be placed in memory instead of registers. Each iteration adds
 * `depth` terms: a thread loads 4×4 blocks of the operands as four vec4, transposes them in registers where the operand
 * is contiguous along k, and writes four vec4 to workgroup memory, so both tiles are [term][row].
 *
 * Why these sizes: two warps are the smallest workgroup that fills all GPUs; 64×64 by 16 terms are 8.5 KiB of the 16
 * KiB that every device has, the 64 sums of a thread fit in its registers, and an element is read from memory once for
 * 64 multiply-adds. 32×32 by 16 terms has half the arithmetic per byte but four times as many workgroups, which a
 * product of 300 rows needs; half of the threads load a, the others b. More terms are not faster, and the compile time
 * of SwiftShader grows with the workgroup memory. After Volkov and Demmel (SC 2008) and Nath, Tomov and Dongarra
 * (IJHPCA 24(4), 2010). Rejected: 256 threads with 4×4 each (the same tile, twice the reads of workgroup memory);
 * subgroups, since few adapters report a size and the workgroup memory is not the limit.
 */
import { parametersDeclaration, resultDeclaration } from './product-parameters.ts';

export interface TiledProduct {
  /** 4×4 blocks per thread: the tile has 32 times as many rows. */
  readonly blocksDown: 1 | 2;
  readonly blocksAcross: 1 | 2;
  /** Terms per iteration, a multiple of 4. */
  readonly depth: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** The length of the operand's lines is divisible by 4, so it is read (written) as vec4. */
  readonly vectorA: boolean;
  readonly vectorB: boolean;
  readonly vectorOut: boolean;
  /** The products of one split of the sum, into scratch0. */
  readonly isSplit: boolean;
}

const threads = 64;
const components = ['x', 'y', 'z', 'w'] as const;
const four = [0, 1, 2, 3] as const;
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

interface Operand {
  readonly name: 'A' | 'B';
  /** Rows of op(A) or columns of op(B) in a tile, and their name. */
  readonly size: number;
  readonly extent: 'm' | 'n';
  /** Its lines run along k: a block is transposed when it is loaded. */
  readonly alongDepth: boolean;
  readonly vector: boolean;
}

/**
 * Stride in vec4 from one term of a tile to the next: one more than needed where threads write along the terms, to
 * avoid bank conflicts.
 */
const strideOf = ({ size, alongDepth }: Operand): number => size / 4 + (alongDepth ? 1 : 0);

/**
 * Loads four elements of a line; zero past the edges, which adds nothing to any sum. Without branches, which cost more
 * than a load.
 */
function readFour({ name, extent, alongDepth, vector }: Operand): string {
  const operand = name.toLowerCase();
  const [lines, width] = alongDepth ? [extent, 'k'] : ['k', extent];
  const values = vector
    ? `${operand}[(start + min(at, last)) / 4u]`
    : `vec4f(${four.map((i) => `${operand}[start + min(at + ${i}u, last)]`).join(', ')})`;
  const isInside = vector ? 'vec4<bool>(at <= last)' : 'vec4u(at) + vec4u(0u, 1u, 2u, 3u) <= vec4u(last)';
  return `fn readFour${name}(line: u32, at: u32) -> vec4f {
  let last = parameters.${width} - 1u;
  let start = min(line, parameters.${lines} - 1u) * parameters.${width};
  return select(vec4f(), ${values}, vec4<bool>(line < parameters.${lines}) & (${isInside}));
}`;
}

/** Blocks of an operand that are loaded into its tile in one iteration. */
const blocksOf = ({ size }: Operand, depth: number): number => (size / 4) * (depth / 4);

/**
 * Loads the blocks of one operand, from term `first` on, into its tile. The threads from `start` on load one block
 * each; if there are more blocks than threads, they repeat.
 */
function loadTile(operand: Operand, depth: number, start: number): string {
  const { name, size, alongDepth } = operand;
  const stride = strideOf(operand);
  const blocks = blocksOf(operand, depth);
  const perLine = alongDepth ? depth / 4 : size / 4;
  const place = start % threads === 0 ? 'thread' : `(thread + ${threads - (start % threads)}u) % ${threads}u`;
  const turns = upTo(Math.ceil(blocks / threads)).map((turn) => {
    const body = alongDepth
      ? `let at = first + block % ${perLine}u * 4u;
      let line = origin${name} + block / ${perLine}u * 4u;
      let to = block % ${perLine}u * ${4 * stride}u + block / ${perLine}u;
${four.map((i) => `      let v${i} = readFour${name}(line + ${i}u, at);`).join('\n')}
${four.map((i) => `      tile${name}[to + ${i * stride}u] = vec4f(${four.map((j) => `v${j}.${components[i]}`).join(', ')});`).join('\n')}`
      : `let at = origin${name} + block % ${perLine}u * 4u;
      let line = first + block / ${perLine}u * 4u;
      let to = block / ${perLine}u * ${4 * stride}u + block % ${perLine}u;
      for (var i = 0u; i < 4u; i++) { tile${name}[to + i * ${stride}u] = readFour${name}(line + i, at); }`;
    const guard = (turn + 1) * threads > blocks ? `if (${place} + ${turn * threads}u < ${blocks}u) ` : '';
    return `    ${guard}{
      let block = ${place} + ${turn * threads}u;
      ${body}
    }`;
  });
  return turns.join('\n');
}

export const tiledProductEntry = 'multiplyTiles';

export function tiledProduct(options: TiledProduct): string {
  const { blocksDown, blocksAcross, depth, transposeA, transposeB, vectorA, vectorB, vectorOut, isSplit } = options;
  const a: Operand = { name: 'A', size: 32 * blocksDown, extent: 'm', alongDepth: !transposeA, vector: vectorA };
  const b: Operand = { name: 'B', size: 32 * blocksAcross, extent: 'n', alongDepth: transposeB, vector: vectorB };
  const [downs, acrosses] = [upTo(blocksDown), upTo(blocksAcross)];
  const sums = downs.flatMap((down) =>
    acrosses.flatMap((across) => four.map((row) => ({ down, across, row, name: `s${down}${across}${row}` }))),
  );
  const outType = vectorOut ? 'vec4f' : 'f32';
  const give = vectorOut
    ? '      if (column < parameters.n) { give(start / 4u, result); }'
    : four
        .map((i) => `      if (column + ${i}u < parameters.n) { give(start + ${i}u, result.${components[i]}); }`)
        .join('\n');

  return `${parametersDeclaration}
@group(0) @binding(1) var<storage, read> a: array<${vectorA ? 'vec4f' : 'f32'}>;
@group(0) @binding(2) var<storage, read> b: array<${vectorB ? 'vec4f' : 'f32'}>;
${resultDeclaration(3, outType, isSplit)}

var<workgroup> tileA: array<vec4f, ${depth * strideOf(a)}>;
var<workgroup> tileB: array<vec4f, ${depth * strideOf(b)}>;

${readFour(a)}

${readFour(b)}

@compute @workgroup_size(${threads})
fn ${tiledProductEntry}(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let tile = group.x + group.y * grid.x;
  if (tile >= parameters.groups) { return; }
  let tilesAcross = (parameters.n + ${b.size - 1}u) / ${b.size}u;
  let originA = tile / tilesAcross * ${a.size}u;
  let originB = tile % tilesAcross * ${b.size}u;
  let x = thread % 8u;
  let y = thread / 8u;
${sums.map(({ name }) => `  var ${name} = vec4f();`).join('\n')}

  let begin = group.z * parameters.depthPerSplit;
  let end = min(parameters.k, begin + parameters.depthPerSplit);
  for (var first = begin; first < end; first += ${depth}u) {
${loadTile(a, depth, 0)}
${loadTile(b, depth, blocksOf(a, depth))}
    workgroupBarrier();
    for (var term = 0u; term < ${depth}u; term++) {
${downs.map((down) => `      let a${down} = tileA[term * ${strideOf(a)}u + y + ${8 * down}u];`).join('\n')}
${acrosses.map((across) => `      let b${across} = tileB[term * ${strideOf(b)}u + x + ${8 * across}u];`).join('\n')}
${sums.map(({ down, across, row, name }) => `      ${name} = fma(vec4f(a${down}.${components[row]}), b${across}, ${name});`).join('\n')}
    }
    workgroupBarrier();
  }

${isSplit ? `  let origin = group.z * parameters.m * parameters.n;` : '  let origin = 0u;'}
  // The sums are indexed only here, after the loop.
  var results = array<vec4f, ${sums.length}>(${sums.map(({ name }) => name).join(', ')});
  for (var i = 0u; i < ${sums.length}u; i++) {
    let row = originA + i / ${4 * blocksAcross}u * 32u + y * 4u + i % 4u;
    let column = originB + i / 4u % ${blocksAcross}u * 32u + x * 4u;
    let start = origin + row * parameters.n + column;
    let result = results[i];
    if (row < parameters.m) {
${give}
    }
  }
}
`;
}
