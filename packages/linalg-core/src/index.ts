export {
  backendBrand,
  isBackend,
  type Backend,
  type BinaryOperation,
  type FloatArray,
  type GemmSettings,
  type MemoryReport,
  type Precision,
  type ProbeResult,
  type RankUpdateSettings,
  type ReduceOperation,
  type UnaryOperation,
} from './backend.ts';
export { CodedError, isCodedError, isLinalgError, LinalgError, type LinalgErrorCode } from './errors.ts';
export { describeShape, Indices, isMatrix, isRowTable, Matrix, RowTable } from './handles.ts';
export { TablePieces } from './host-table/table-pieces.ts';
export {
  gatherTableRows,
  readTableRows,
  scatterAddTableRows,
  scatterTableRows,
  writeTableRows,
} from './host-table/table-rows.ts';
export {
  addDiagonal,
  affine,
  axpy,
  binary,
  copy,
  copyColumns,
  fill,
  gemm,
  reduce,
  rowDot,
  scaleRows,
  unary,
  type GemmOptions,
} from './operations/dense.ts';
export { guarded } from './operations/guarded.ts';
export { gatherRows, scatterAddRows, scatterRows, type ScatterOptions } from './operations/rows.ts';
export { solve, symmetricRank2Update, type RankUpdateOptions } from './operations/small-systems.ts';
export {
  createHostArray,
  createMatrixFrom,
  growTable,
  memoryDifference,
  read,
  readRows,
  readSync,
  write,
  writeIndices,
  writeRows,
} from './operations/storage.ts';
export { unaryFunctions } from './plain/elementwise.ts';
export { createPlainBackend, hostArray, probePlainBackend, type PlainBackendOptions } from './plain/plain-backend.ts';
export { Scope } from './scope.ts';
export { Workspace } from './workspace.ts';
