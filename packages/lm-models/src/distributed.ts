export {
  BatchParts,
  createSequenceSlice,
  sliceNgramBatch,
  sliceSparseBatch,
  type BatchSlice,
  type PartOf,
} from './distributed/batch-parts.ts';
export { compareTextData, compareTraining, type TextData } from './distributed/compare-training.ts';
export { gatherStreams, ownStreams } from './distributed/recurrent-streams.ts';
export { DataParallel, type DataParallelOptions } from './distributed/data-parallel.ts';
export { createDistributedOutput } from './distributed/distributed-output.ts';
export { savedModule, splitModules } from './distributed/sharded-modules.ts';
export {
  writeDistributedCheckpoint,
  type DistributedCheckpointOptions,
} from './distributed/write-distributed-checkpoint.ts';
