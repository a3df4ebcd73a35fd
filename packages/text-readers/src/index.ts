export {
  parseParquet,
  type ParquetCompressors,
  type ParquetOptions,
  type ParquetRow,
  type ParquetSource,
  parseParquetTexts,
  type ParquetTextOptions,
} from './parquet-rows.ts';
export { createSubwordTokenizer, type SubwordTokenizer, type SubwordTokenizerOptions } from './subword-tokenizer.ts';
export { isNpy, readNpyArray } from './features/npy.ts';
export { isZip, readNpzArrays, type InflateRaw, type NpzOptions } from './features/npz.ts';
export { readSafetensorsArrays } from './features/safetensors-arrays.ts';
export { chooseArray, placedBytes, type PlacedBytes, type StoredArray } from './features/stored-arrays.ts';
export {
  collectVectors,
  vectorsOfJson,
  vectorsOfParquet,
  type CollectVectorsOptions,
  type VectorRow,
} from './features/vectors.ts';
