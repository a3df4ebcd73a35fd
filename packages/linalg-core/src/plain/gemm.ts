/**
 * Matrix product in the order of Goto and van de Geijn (ACM TOMS 34(3), 2008): blocks of b, then of a, are packed into
 * contiguous panels four wide, and a 4×4 block of the product is held in sixteen locals. Packing resolves the
 * transposes and widens f32 to f64, so the inner loop is the same for both precisions and its sums are exact to f64
 * rounding. Rejected: the naive triple loop as the shipped version (8 times slower); it lives in the conformance suite
 * as the oracle.
 */
import type { FloatArray, GemmSettings } from '../kernel-types.ts';

const rowsPerBlock = 64;
const depthPerBlock = 256;
const columnsPerBlock = 512;

export type Gemm = (
  m: number,
  n: number,
  k: number,
  a: FloatArray,
  b: FloatArray,
  out: FloatArray,
  settings: GemmSettings,
) => void;

/**
 * A gemm with panels of its own, allocated once. a is m×k (k×m when transposed), b k×n (n×k when transposed), out m×n.
 */
export function createGemm(): Gemm {
  const panelA = new Float64Array(rowsPerBlock * depthPerBlock);
  const panelB = new Float64Array(depthPerBlock * columnsPerBlock);

  return (m, n, k, a, b, out, { transposeA, transposeB, alpha, beta }) => {
    scaleBy(beta, out, m * n);
    if (alpha === 0) return;
    for (let column = 0; column < n; column += columnsPerBlock) {
      const blockColumns = Math.min(columnsPerBlock, n - column);
      for (let depth = 0; depth < k; depth += depthPerBlock) {
        const blockDepth = Math.min(depthPerBlock, k - depth);
        // b[p, j] is at p·n + j, or at j·k + p when it is stored transposed.
        pack(
          b,
          transposeB ? column * k + depth : depth * n + column,
          transposeB ? k : 1,
          transposeB ? 1 : n,
          blockColumns,
          blockDepth,
          panelB,
        );
        for (let row = 0; row < m; row += rowsPerBlock) {
          const blockRows = Math.min(rowsPerBlock, m - row);
          pack(
            a,
            transposeA ? depth * m + row : row * k + depth,
            transposeA ? 1 : k,
            transposeA ? m : 1,
            blockRows,
            blockDepth,
            panelA,
          );
          for (let j = 0; j < blockColumns; j += 4) {
            for (let i = 0; i < blockRows; i += 4) {
              const rows = Math.min(4, blockRows - i);
              const columns = Math.min(4, blockColumns - j);
              multiplyBlock(
                panelA,
                i * blockDepth,
                panelB,
                j * blockDepth,
                blockDepth,
                alpha,
                out,
                (row + i) * n + column + j,
                n,
                rows,
                columns,
              );
            }
          }
        }
      }
    }
  };
}

/** out = alpha·(product + productᵀ) + beta·out, n×n: the half of a symmetric update that is not a product. */
export function addWithTranspose(n: number, product: FloatArray, alpha: number, beta: number, out: FloatArray): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const sum = alpha * (product[i * n + j]! + product[j * n + i]!);
      out[i * n + j] = beta === 0 ? sum : beta * out[i * n + j]! + sum;
      if (i !== j) out[j * n + i] = beta === 0 ? sum : beta * out[j * n + i]! + sum;
    }
  }
}

function scaleBy(beta: number, out: FloatArray, length: number): void {
  if (beta === 1) return;
  if (beta === 0) out.fill(0, 0, length);
  else for (let i = 0; i < length; i++) out[i] = beta * out[i]!;
}

/** Groups of four lanes, each group depth-first: panel[(group·depth + p)·4 + lane]; lanes past the edge are zero. */
function pack(
  source: FloatArray,
  offset: number,
  laneStride: number,
  depthStride: number,
  lanes: number,
  depth: number,
  panel: Float64Array,
): void {
  let target = 0;
  let lane = 0;
  for (; lane + 4 <= lanes; lane += 4) {
    let p0 = offset + lane * laneStride;
    let p1 = p0 + laneStride;
    let p2 = p1 + laneStride;
    let p3 = p2 + laneStride;
    for (let p = 0; p < depth; p++) {
      panel[target] = source[p0]!;
      panel[target + 1] = source[p1]!;
      panel[target + 2] = source[p2]!;
      panel[target + 3] = source[p3]!;
      target += 4;
      p0 += depthStride;
      p1 += depthStride;
      p2 += depthStride;
      p3 += depthStride;
    }
  }
  if (lane === lanes) return;
  for (let p = 0; p < depth; p++) {
    for (let t = 0; t < 4; t++) {
      panel[target++] = lane + t < lanes ? source[offset + (lane + t) * laneStride + p * depthStride]! : 0;
    }
  }
}

function multiplyBlock(
  panelA: Float64Array,
  offsetA: number,
  panelB: Float64Array,
  offsetB: number,
  depth: number,
  alpha: number,
  out: FloatArray,
  offset: number,
  stride: number,
  rows: number,
  columns: number,
): void {
  let c00 = 0,
    c01 = 0,
    c02 = 0,
    c03 = 0;
  let c10 = 0,
    c11 = 0,
    c12 = 0,
    c13 = 0;
  let c20 = 0,
    c21 = 0,
    c22 = 0,
    c23 = 0;
  let c30 = 0,
    c31 = 0,
    c32 = 0,
    c33 = 0;
  for (let p = 0; p < depth; p++) {
    const a0 = panelA[offsetA]!,
      a1 = panelA[offsetA + 1]!,
      a2 = panelA[offsetA + 2]!,
      a3 = panelA[offsetA + 3]!;
    const b0 = panelB[offsetB]!,
      b1 = panelB[offsetB + 1]!,
      b2 = panelB[offsetB + 2]!,
      b3 = panelB[offsetB + 3]!;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
    offsetA += 4;
    offsetB += 4;
  }
  addRow(out, offset, columns, alpha, c00, c01, c02, c03);
  if (rows > 1) addRow(out, offset + stride, columns, alpha, c10, c11, c12, c13);
  if (rows > 2) addRow(out, offset + 2 * stride, columns, alpha, c20, c21, c22, c23);
  if (rows > 3) addRow(out, offset + 3 * stride, columns, alpha, c30, c31, c32, c33);
}

function addRow(
  out: FloatArray,
  offset: number,
  columns: number,
  alpha: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  out[offset] = out[offset]! + alpha * c0;
  if (columns > 1) out[offset + 1] = out[offset + 1]! + alpha * c1;
  if (columns > 2) out[offset + 2] = out[offset + 2]! + alpha * c2;
  if (columns > 3) out[offset + 3] = out[offset + 3]! + alpha * c3;
}
