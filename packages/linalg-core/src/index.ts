export { backendBrand, Indices, isBackend, isMatrix, isRowTable, Matrix, RowTable, type Backend } from './backend.ts';
export {
  CodedError,
  describeShape,
  isCodedError,
  isLinalgError,
  LinalgError,
  OptionError,
  type LinalgErrorCode,
} from './errors.ts';
export {
  addTableRows,
  arrayRows,
  gatherTableRows,
  readTableRows,
  scatterTableRows,
  TablePieces,
  writeTableRows,
  type AddedRows,
  type TableRows,
} from './host-table.ts';
export type {
  BinaryOperation,
  FloatArray,
  GemmSettings,
  MemoryReport,
  MomentUpdate,
  Precision,
  ProbeResult,
  QuantizedProductSettings,
  RankUpdateSettings,
  ReduceOperation,
  UnaryOperation,
} from './kernel-types.ts';
export {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  copyColumns,
  fill,
  gatherRows,
  gemm,
  guarded,
  reduce,
  rowDot,
  scaleRows,
  scatterAddRows,
  scatterRows,
  solve,
  symmetricRank2Update,
  unary,
  type GemmOptions,
  type RankUpdateOptions,
  type ScatterOptions,
} from './operations.ts';
export { unaryFunctions } from './plain/kernels.ts';
export { createPlainBackend, hostArray, probePlainBackend, type PlainBackendOptions } from './plain/plain-backend.ts';
export { exponentiateRows } from './exponentiate-rows.ts';
export { leastSquaresRows, type RowLists, type RowPenalties } from './least-squares-rows.ts';
export { combineRanges, exponentiateRanges, updateRanges, type RangeSource } from './row-ranges.ts';
export { multiplyRows, rowsOfBlock } from './row-products.ts';
export { viewRows } from './row-view.ts';
export { drawNormalRows, fillNormalRows, normalKeys, type NormalKeys, type NormalRowsOptions } from './normal-rows.ts';
export { codeColumns, quantizedProducts, quantizeRows } from './quantized-rows.ts';
export { Scope } from './scope.ts';
export { gatheredRowDot } from './gathered-row-dot.ts';
export { sparseTimesRows, type SparseProductEntries } from './sparse-product.ts';
export {
  createHostArray,
  createMatrixFrom,
  growTable,
  memoryDifference,
  read,
  readRows,
  readSync,
  Workspace,
  write,
  writeIndices,
  writeRows,
} from './storage.ts';
export { updateMatrix, updateRows } from './update-rows.ts';
