export { parseParquet } from './parquet-rows.ts';
export type { ParquetCompressors, ParquetOptions, ParquetRow, ParquetSource } from './parquet-rows.ts';
export { parseParquetTexts } from './parquet-rows.ts';
export type { ParquetTextOptions } from './parquet-rows.ts';
export { createSubwordTokenizer } from './subword-tokenizer.ts';
export type { SubwordTokenizer, SubwordTokenizerOptions } from './subword-tokenizer.ts';
