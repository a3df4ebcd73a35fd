/**
 * out = alpha·op(a)·op(b) + beta·out in the order of Goto and van de Geijn (ACM TOMS 34(3), 2008): a block of b is packed once, blocks of
 * a after it, and 4×8 tiles of the product stay in registers. Packing resolves the transposes. Depth is cut evenly (300 is one block,
 * 400 two of 200), because a short last block pays for loading and storing the product again. Vectors and outer products, where
 * packing would cost more than the product, go their own way.
 */
import { multiplyTile } from './gemm-tile';
import { packDepth, packLanes } from './gemm-pack';
import { outerProduct, scaleBy, vectorTimesMatrix, vectorTimesTransposed } from './gemm-vector';

/** As in `gemmScratchBytes` of src/kernels.ts: (128 + 512)·320·4. */
const rowsPerBlock: i32 = 128;
const columnsPerBlock: i32 = 512;
const depthPerBlock: i32 = 320;

/** a m×k (k×m when transposed), b k×n (n×k when transposed), out m×n. */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  out: usize,
  transposeA: i32,
  transposeB: i32,
  alpha: f32,
  beta: f64,
  scratch: usize,
): void {
  if (m == 0 || n == 0) return;
  if (k == 0 || alpha == 0) {
    scaleBy(beta, out, <usize>m * <usize>n);
    return;
  }
  if (k == 1) {
    outerProduct(m, n, a, b, alpha, beta, out);
    return;
  }
  if (m == 1) {
    if (transposeB) vectorTimesTransposed(k, n, a, b, alpha, beta, out);
    else vectorTimesMatrix(k, n, a, b, alpha, beta, out);
    return;
  }
  if (n == 1) {
    // out = op(a)·b is the row outᵀ = bᵀ·op(a)ᵀ; a row and a column are stored alike.
    if (transposeA) vectorTimesMatrix(k, m, b, a, alpha, beta, out);
    else vectorTimesTransposed(k, m, b, a, alpha, beta, out);
    return;
  }
  const panelA = scratch;
  const panelB = scratch + <usize>(rowsPerBlock * depthPerBlock * 4);
  const depthBlocks = (k + depthPerBlock - 1) / depthPerBlock;
  const blockDepth = (k + depthBlocks - 1) / depthBlocks;
  const strideA = <usize>(transposeA ? m : k) << 2;
  const strideB = <usize>(transposeB ? k : n) << 2;
  const stride = <usize>n << 2;
  for (let column = 0; column < n; column += columnsPerBlock) {
    const columns = min(columnsPerBlock, n - column);
    for (let p = 0; p < k; p += blockDepth) {
      const depth = min(blockDepth, k - p);
      const firstBeta: f64 = p == 0 ? beta : 1;
      if (transposeB) packDepth(b + <usize>column * strideB + (<usize>p << 2), strideB, columns, depth, panelB, 8);
      else packLanes(b + <usize>p * strideB + (<usize>column << 2), strideB, columns, depth, panelB, 8);
      for (let row = 0; row < m; row += rowsPerBlock) {
        const rows = min(rowsPerBlock, m - row);
        if (transposeA) packLanes(a + <usize>p * strideA + (<usize>row << 2), strideA, rows, depth, panelA, 4);
        else packDepth(a + <usize>row * strideA + (<usize>p << 2), strideA, rows, depth, panelA, 4);
        for (let j = 0; j < columns; j += 8) {
          const tileB = panelB + <usize>j * (<usize>depth << 2);
          for (let i = 0; i < rows; i += 4) {
            const tileA = panelA + <usize>i * (<usize>depth << 2);
            const corner = out + <usize>(row + i) * stride + (<usize>(column + j) << 2);
            multiplyTile(depth, tileA, tileB, alpha, firstBeta, corner, stride, min(4, rows - i), min(8, columns - j));
          }
        }
      }
    }
  }
}
