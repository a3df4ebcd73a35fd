/**
 * What a chunk of each kernel does. Every file that cuts a kernel into chunks also says how a chunk reads its
 * arguments.
 */
import { affineChunk, axpyChunk, binaryFlatChunk, binaryRowsChunk, mirrorAddChunk, unaryChunk } from './elementwise';
import { exponentiateRowsChunk } from './exponentiate-rows';
import { trailingChunk } from './factorise';
import { packChunk, tilesChunk } from './gemm';
import { call } from './host';
import { outerChunk, vectorChunk, vectorTransposedChunk } from './gemm-vector';
import { gatheredRowDotChunk } from './gathered-row-dot';
import {
  addRowsJob,
  affineJob,
  axpyJob,
  binaryFlatJob,
  binaryRowsJob,
  combineRangesJob,
  exponentiateRangesJob,
  exponentiateRowsJob,
  gatheredRowDotJob,
  gatherRowsJob,
  hostJob,
  leastSquaresRowsJob,
  mirrorAddJob,
  normalRowsJob,
  outerJob,
  packJob,
  quantizedProductsJob,
  quantizeRowsJob,
  reduceAllJob,
  reduceColumnsJob,
  reduceRowsJob,
  rowDotJob,
  substituteJob,
  tilesJob,
  trailingJob,
  unaryJob,
  updateRangesJob,
  updateRowsJob,
  vectorJob,
  vectorTransposedJob,
} from './job';
import { leastSquaresRowsChunk } from './least-squares-rows';
import { normalRowsChunk } from './normal-rows';
import { quantizedProductsChunk, quantizeRowsChunk } from './quantized-rows';
import { reduceAllChunk, reduceColumnsChunk, reduceRowsChunk, rowDotChunk } from './reduce';
import { combineRangesChunk, exponentiateRangesChunk, updateRangesChunk } from './row-ranges';
import { addRowsChunk, gatherRowsChunk } from './rows';
import { substituteChunk } from './solve';
import { updateRowsChunk } from './update-rows';

/**
 * @param chunks how many the job has
 * @param thread 0 for the main thread; whose scratch to use
 */
export function runChunk(kernel: i32, chunk: i32, chunks: i32, thread: i32): void {
  switch (kernel) {
    case axpyJob:
      return axpyChunk(chunk);
    case affineJob:
      return affineChunk(chunk);
    case unaryJob:
      return unaryChunk(chunk);
    case binaryFlatJob:
      return binaryFlatChunk(chunk, thread);
    case binaryRowsJob:
      return binaryRowsChunk(chunk, thread);
    case rowDotJob:
      return rowDotChunk(chunk);
    case reduceRowsJob:
      return reduceRowsChunk(chunk);
    case reduceAllJob:
      return reduceAllChunk(chunk);
    case reduceColumnsJob:
      return reduceColumnsChunk(chunk);
    case mirrorAddJob:
      return mirrorAddChunk(chunk);
    case packJob:
      return packChunk(chunk);
    case tilesJob:
      return tilesChunk(chunk);
    case vectorJob:
      return vectorChunk(chunk);
    case vectorTransposedJob:
      return vectorTransposedChunk(chunk);
    case outerJob:
      return outerChunk(chunk);
    case trailingJob:
      return trailingChunk(chunk);
    case substituteJob:
      return substituteChunk(chunk, thread);
    case gatherRowsJob:
      return gatherRowsChunk(chunk);
    case updateRowsJob:
      return updateRowsChunk(chunk);
    case addRowsJob:
      return addRowsChunk(chunk, chunks);
    case exponentiateRowsJob:
      return exponentiateRowsChunk(chunk);
    case gatheredRowDotJob:
      return gatheredRowDotChunk(chunk);
    case exponentiateRangesJob:
      return exponentiateRangesChunk(chunk);
    case combineRangesJob:
      return combineRangesChunk(chunk);
    case updateRangesJob:
      return updateRangesChunk(chunk);
    case leastSquaresRowsJob:
      return leastSquaresRowsChunk(chunk, thread);
    case quantizeRowsJob:
      return quantizeRowsChunk(chunk);
    case quantizedProductsJob:
      return quantizedProductsChunk(chunk);
    case normalRowsJob:
      return normalRowsChunk(chunk);
    case hostJob:
      return call(chunk);
    default:
      unreachable();
  }
}
