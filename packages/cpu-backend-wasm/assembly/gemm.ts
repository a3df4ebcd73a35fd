/**
 * out = alpha·op(a)·op(b) + beta·out in the order of Goto and van de Geijn (ACM TOMS 34(3), 2008): blocks of b are
 * packed, and 2×16 tiles of the product stay in registers. a is read as it lies, or transposed into rows first; b too
 * is read as it lies where few rows would not pay for packing it. Depth is cut evenly (300 is one block, 400 two of
 * 200), because a short last block pays for loading and storing the product again. Vectors and outer products go their
 * own way.
 *
 * For each block there are two jobs: pack, multiply. All threads share the packed panels, which is why the threads
 * together pack no more than one would; the price is that nobody multiplies before everything is packed, about a
 * microsecond.
 */
import { multiplyTile, tileColumns, tileRows } from './gemm-tile';
import { packDepth, packLanes } from './gemm-pack';
import { outerProduct, scaleBy, vectorTimesMatrix, vectorTimesTransposed } from './gemm-vector';
import { argument, argumentAt, packJob, setArgument, setReal, size, tilesJob } from './job';
import { run, wake } from './run';

/** As in `gemmScratchBytes` of src/kernels.ts: (512 + 512)·320·4. */
const rowsPerBlock: i32 = 512;
const columnsPerBlock: i32 = 512;
const depthPerBlock: i32 = 320;
/** The part of a that stays in the second-level cache while columns of b go by. */
const rowsPerChunk: i32 = 128;
const lanesPerPackChunk: i32 = 64;
/** Up to so many rows b is not packed: each number of it would be read as often for packing as for multiplying. */
const fewRows: i32 = 32;
/** Multiply-adds of a product for which sleeping workers are called: it takes one thread some 60 µs. */
const worthWaking: f64 = 2_000_000;

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
  const depthBlocks = (k + depthPerBlock - 1) / depthPerBlock;
  const blockDepth = (k + depthBlocks - 1) / depthBlocks;
  const strideA = (<usize>(transposeA ? m : k)) << 2;
  const strideB = (<usize>(transposeB ? k : n)) << 2;
  const packsB = transposeB != 0 || m > fewRows;
  const panelB = scratch + <usize>(rowsPerBlock * depthPerBlock * 4);
  setArgument(2, strideA);
  setArgument(3, strideB);
  setArgument(4, transposeA);
  setArgument(5, transposeB);
  setArgument(9, scratch);
  setArgument(10, panelB);
  setReal(11, alpha);
  setArgument(14, (<usize>n) << 2);
  setArgument(15, packsB ? 1 : 0);
  if (<f64>m * <f64>n * <f64>k >= worthWaking) wake();
  for (let column = 0; column < n; column += columnsPerBlock) {
    const columns = min(columnsPerBlock, n - column);
    for (let p = 0; p < k; p += blockDepth) {
      const depth = min(blockDepth, k - p);
      setArgument(
        1,
        b + (transposeB ? <usize>column * strideB + ((<usize>p) << 2) : <usize>p * strideB + ((<usize>column) << 2)),
      );
      setArgument(7, columns);
      setArgument(8, depth);
      setReal(12, p == 0 ? beta : 1);
      for (let row = 0; row < m; row += rowsPerBlock) {
        const rows = min(rowsPerBlock, m - row);
        setArgument(
          0,
          a + (transposeA ? <usize>p * strideA + ((<usize>row) << 2) : <usize>row * strideA + ((<usize>p) << 2)),
        );
        setArgument(6, rows);
        setArgument(13, out + ((<usize>row * <usize>n + <usize>column) << 2));
        // The panel of b stays for all blocks of rows.
        run(packJob, (transposeA ? packChunks(rows) : 0) + (packsB && row == 0 ? packChunks(columns) : 0));
        const columnsPerChunk = chunkColumns(depth);
        run(tilesJob, ((rows + rowsPerChunk - 1) / rowsPerChunk) * ((columns + columnsPerChunk - 1) / columnsPerChunk));
      }
    }
  }
}

function packChunks(lanes: i32): i32 {
  return (lanes + lanesPerPackChunk - 1) / lanesPerPackChunk;
}

/** Bytes from row to row of a's panel. */
function panelStride(depth: i32): usize {
  return ((<usize>depth + 3) / 4) * 16;
}

/** The chunks for a, where it is transposed, come first, those for b after them. */
export function packChunk(chunk: i32): void {
  const depth = size(8);
  const rows = size(6);
  const chunksOfA = size(4) ? packChunks(rows) : 0;
  const first = (chunk < chunksOfA ? chunk : chunk - chunksOfA) * lanesPerPackChunk;
  if (chunk < chunksOfA) {
    const stride = panelStride(depth);
    const panel = argument(9) + <usize>first * stride;
    packDepth(
      argument(0) + ((<usize>first) << 2),
      argument(2),
      depth,
      min(lanesPerPackChunk, rows - first),
      panel,
      <i32>(stride >> 2),
    );
    return;
  }
  const lanes = min(lanesPerPackChunk, size(7) - first);
  const panel = argument(10) + <usize>first * ((<usize>depth) << 2);
  const stride = argument(3);
  if (size(5)) packDepth(argument(1) + <usize>first * stride, stride, lanes, depth, panel, tileColumns);
  else packLanes(argument(1) + ((<usize>first) << 2), stride, lanes, depth, panel);
}

/** One tile wide, more when the depth is small: some ten microseconds. */
function chunkColumns(depth: i32): i32 {
  return max(tileColumns, (4096 / depth) & ~(tileColumns - 1));
}

/** Tiles of 128 rows by a few columns. */
export function tilesChunk(chunk: i32): void {
  const depth = size(8);
  const columnsPerChunk = chunkColumns(depth);
  const chunksPerRow = (size(7) + columnsPerChunk - 1) / columnsPerChunk;
  const firstRow = (chunk / chunksPerRow) * rowsPerChunk;
  const firstColumn = (chunk % chunksPerRow) * columnsPerChunk;
  const rows = min(rowsPerChunk, size(6) - firstRow);
  const columns = min(columnsPerChunk, size(7) - firstColumn);
  const strideA = size(4) ? panelStride(depth) : argument(2);
  const a = (size(4) ? argument(9) : argument(0)) + <usize>firstRow * strideA;
  const packed = size(15);
  const strideB = packed ? (<usize>tileColumns) << 2 : argument(3);
  const stride = argument(14);
  const out = argument(13) + <usize>firstRow * stride + ((<usize>firstColumn) << 2);
  const factors = argumentAt(11);
  for (let j = 0; j < columns; j += tileColumns) {
    const column = (<usize>(firstColumn + j)) << 2;
    const b = packed ? argument(10) + column * <usize>depth : argument(1) + column;
    for (let i = 0; i < rows; i += tileRows) {
      const corner = out + <usize>i * stride + ((<usize>j) << 2);
      multiplyTile(
        depth,
        a + <usize>i * strideA,
        strideA,
        b,
        strideB,
        factors,
        corner,
        stride,
        min(tileRows, rows - i),
        columns - j,
      );
    }
  }
}
