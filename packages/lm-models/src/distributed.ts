export {
  BatchParts,
  createSequenceSlice,
  sliceNgramBatch,
  sliceSparseBatch,
  type BatchSlice,
  type UnionBatches,
} from './distributed/batch-parts.ts';
export { gatherStreams, ownStreams } from './distributed/carried-streams.ts';
export {
  DataParallel,
  type DataParallelOptions,
  type RowGradient,
  type SharedParameters,
} from './distributed/data-parallel.ts';
export { savedModule, splitModules, type SavedModules } from './distributed/sharded-modules.ts';
