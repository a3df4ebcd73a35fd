// Entry point @vastmax/text-readers/node: what needs Node. The main entry runs anywhere.
export { readParquet, readParquetTexts } from './node/read-files.ts';
export { readSubwordTokenizer } from './node/read-files.ts';
