// Entry point @vastmax/checkpoints: runs wherever JavaScript does. Files of Node are in @vastmax/checkpoints/node.
export type { CheckpointContent, CheckpointPart, TensorPlace, WrittenShard } from './checkpoint-files.ts';
export { discardCheckpointPart, writeCheckpointPart, type PartOptions } from './checkpoint-parts.ts';
export {
  CheckpointError,
  isCheckpointError,
  isStorageError,
  shown,
  StorageError,
  type CheckpointErrorCode,
} from './errors.ts';
export { parseJson, type Fail, type JsonLimits } from './json.ts';
export type { FileRecord, ModuleRecord } from './manifest.ts';
export { lockStorage } from './lock-storage.ts';
export { createMemoryStorage, type MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts';
export { openCheckpoint, type Checkpoint, type OpenOptions } from './open-checkpoint.ts';
export { createOpfsStorage, type DirectoryHandle, type FileHandle, type WritableFile } from './opfs-storage.ts';
export { publishCheckpoint, type PublishedContent, type PublishOptions } from './publish-checkpoint.ts';
export { listSafetensors, type ListedTensor } from './safetensors-list.ts';
export { openSafetensors, type SafetensorsFile } from './safetensors-reader.ts';
export { writeSafetensors, type SafetensorsOptions, type WriteOptions } from './safetensors-writer.ts';
export { createSha256 } from './sha256.ts';
export {
  BLOCK_BYTES,
  storeFile,
  type Append,
  type CancellationSignal,
  type CheckpointSource,
  type CheckpointStorage,
  type FileDigest,
  type Hash,
  type RandomAccessReader,
  type StagedFile,
  type WriterLock,
} from './storage.ts';
export { bigEndianError, IS_LITTLE_ENDIAN, narrowToHalf, widenHalf } from './stored-numbers.ts';
export { writeCheckpoint, type CheckpointOptions } from './write-checkpoint.ts';
