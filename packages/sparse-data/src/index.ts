export {
  createCsrRows,
  csrFromLists,
  singleTargets,
  validateCsrRows,
  type CsrRows,
  DistinctIndices,
} from './csr/csr-rows.ts';
export { SparseDataError, isSparseDataError, type SparseDataErrorCode } from './errors.ts';
export { prefetch, type Prefetched, type PrefetchOptions, type WaitingTime } from './batches/prefetch.ts';
export type { CancellationSignal } from './cancellation.ts';
export { RandomGenerator, type RandomState, IndexPermutation } from './random/random.ts';
export { Vocabulary, vocabularyFromJSON, type VocabularyContents, type VocabularyJSON } from './text/vocabulary.ts';
export {
  VocabularyCounter,
  type BuildVocabularyOptions,
  type VocabularyCounterOptions,
} from './text/vocabulary-counter.ts';
export {
  whitespaceTokens,
  wordTokens,
  type Tokenize,
  type WordTokensOptions,
  countTokens,
  encodeTokens,
  type TextLines,
  type TextLinesInParts,
  type TokenStreamOptions,
} from './text/token-stream.ts';
export { partsOfLine, type LinePart } from './text/long-lines.ts';
export { createWordSegmenter, type LetterCase, type WordSegmenterOptions } from './text/word-segmenter.ts';
export { NgramBatches, type NgramBatch, type NgramBatchesOptions, type NgramCursor } from './batches/ngram-batches.ts';
export type { BatchCursor } from './batches/batch-cursor.ts';
export type { ExampleOrderOptions } from './batches/example-order.ts';
export {
  SparseBatches,
  type SparseBatch,
  type SparseBatchesOptions,
  type SparseRowSource,
} from './batches/sparse-batches.ts';
export type { TargetOptions, TargetWeights } from './batches/target-rows.ts';
export { DenseBatches, type DenseBatch, type DenseBatchesOptions } from './dense/dense-batches.ts';
export type { ShuffleBlocks } from './dense/block-order.ts';
export {
  collectDenseRows,
  createDenseRows,
  sourceOfRows,
  sourceOfStored,
  type DenseRows,
  type DenseRowSource,
  type DenseValues,
  type ReadBytes,
  type StoredRows,
} from './dense/dense-rows.ts';
export { splitRows, type SplitRows, type SplitRowsOptions } from './dense/split-rows.ts';
export { bytesOfNumber, type NumberType, type StoredNumbers } from './dense/stored-numbers.ts';
export { SetBatches, type SetBatchesOptions } from './batches/set-batches.ts';
export { splitAtTime, splitLast, splitSets, type SplitSets, type SplitSetsOptions } from './interactions/split-sets.ts';
export { WindowBatches, type WindowBatchesOptions } from './batches/window-batches.ts';
export { subsampleTokens, type SubsampleOptions } from './text/subsample-tokens.ts';
export { SequenceRows, type SequenceBatch } from './batches/sequence-batch.ts';
export { SequenceBatches, type SequenceBatchesOptions, type SequenceCursor } from './batches/sequence-batches.ts';
export { HistoryBatches, type HistoryBatchesOptions, type HistoryCursor } from './batches/history-batches.ts';
export { SessionBatches, type SessionBatchesOptions, type SessionCursor } from './batches/session-batches.ts';
export { columnCounts, columnsByFrequency, renumberColumns } from './csr/columns.ts';
export { CsrBuffer } from './csr/csr-buffer.ts';
export { addDuplicates, excludeEntries, transposeCsr } from './csr/entries.ts';
export type { NamedInput } from './records/record-lines.ts';
export {
  createHashSplit,
  type HashSplitOptions,
  type SplitShares,
  createTimeSplit,
  timeSplitEnds,
  type TimeSplitEnds,
} from './interactions/split-interactions.ts';
export {
  ShuffleBuffer,
  type OpenStream,
  type ShuffleBufferOptions,
  type ShuffleCursor,
} from './batches/shuffle-buffer.ts';
