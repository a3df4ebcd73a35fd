// Entry point @vastmax/lm-models/node: what needs Node. The main entry runs anywhere.
export type { CheckpointContent } from './checkpoint/checkpoint-content.ts';
export { CheckpointError, isCheckpointError } from './checkpoint/checkpoint-error.ts';
export type { CheckpointErrorCode } from './checkpoint/checkpoint-error.ts';
export { openCheckpoint } from './checkpoint/checkpoint.ts';
export type { Checkpoint, OpenOptions } from './checkpoint/checkpoint.ts';
export type { FileDigest } from './checkpoint/durable-file.ts';
export { openSafetensors } from './checkpoint/safetensors-reader.ts';
export type { SafetensorsFile } from './checkpoint/safetensors-reader.ts';
export { writeSafetensors } from './checkpoint/safetensors-writer.ts';
export type { SafetensorsOptions, WriteOptions } from './checkpoint/safetensors-writer.ts';
export { writeCheckpoint } from './checkpoint/write-checkpoint.ts';
