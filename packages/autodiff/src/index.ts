export { AutodiffError, isAutodiffError, type AutodiffErrorCode } from './errors.ts';
export { add, divide, multiply, subtract } from './operations/arithmetic.ts';
export { commonTape } from './operations/checks.ts';
export { concatColumns, reshape, sliceColumns } from './operations/columns.ts';
export { dropout, type DropoutOptions } from './operations/dropout.ts';
export {
  exp,
  gelu,
  log,
  negate,
  reciprocal,
  relu,
  scale,
  shift,
  sigmoid,
  softplus,
  sqrt,
  square,
  tanh,
} from './operations/elementwise.ts';
export { layerNorm, type LayerNormOptions } from './operations/layer-norm.ts';
export { matmul, type MatmulOptions } from './operations/matmul.ts';
export { mean, rowDot, rowSum, sum } from './operations/reductions.ts';
export { concatRows, sliceRows } from './operations/row-blocks.ts';
export { gatherRows, gatherTable } from './operations/rows.ts';
export { logSoftmax, softmax } from './operations/softmax.ts';
export { sparseTimesTable, type SparseEntries } from './operations/sparse.ts';
export { Tape, type Backward, type GradientSink } from './tape.ts';
export { TableVariable, Variable, type TableGradient } from './variable.ts';
