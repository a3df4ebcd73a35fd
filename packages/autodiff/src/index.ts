export { AutodiffError, isAutodiffError, type AutodiffErrorCode } from './errors.ts';
export { attention } from './operations/attention.ts';
export { concatColumns, concatRows, sliceColumns, sliceRows } from './operations/blocks.ts';
export {
  add,
  divide,
  exp,
  gelu,
  log,
  multiply,
  negate,
  reciprocal,
  relu,
  scale,
  shift,
  sigmoid,
  softplus,
  sqrt,
  square,
  subtract,
  tanh,
} from './operations/elementwise.ts';
export {
  dropout,
  gatherRows,
  gatherTable,
  matmul,
  mean,
  reshape,
  rowDot,
  rowSum,
  sum,
  type DropoutOptions,
  type MatmulOptions,
} from './operations/linear.ts';
export { layerNorm, logSoftmax, rmsNorm, softmax, type LayerNormOptions } from './operations/normalization.ts';
export { PackedSequences } from './operations/packed-sequences.ts';
export { rotary } from './operations/rotary.ts';
export { sparseTimesTable, type SparseEntries } from './operations/sparse.ts';
export { Tape } from './tape.ts';
export {
  commonTape,
  TableVariable,
  Variable,
  type Backward,
  type GradientSink,
  type Recorder,
  type TableGradient,
} from './variable.ts';
