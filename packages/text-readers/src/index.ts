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
