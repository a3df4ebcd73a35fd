export { parseParquet } from './parquet-rows.ts';
export type { ParquetCompressors, ParquetOptions, ParquetRow, ParquetSource } from './parquet-rows.ts';
export { parseParquetTexts } from './parquet-texts.ts';
export type { ParquetTextOptions } from './parquet-texts.ts';
export { createSubwordTokenizer } from './subword-tokenizer.ts';
export type { SubwordTokenizer, SubwordTokenizerOptions } from './subword-tokenizer.ts';
