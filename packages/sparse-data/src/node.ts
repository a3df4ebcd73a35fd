// Entry point @vastmax/sparse-data/node: functions that need Node. The main entry point runs on any JavaScript engine.
export { inputName, isPipe, isStandardInput, kindOfBytes, openBytes, type OpenBytes } from './node/open-bytes.ts';
export { readLines, type ReadLinesOptions, readText } from './node/read-lines.ts';
export {
  readCsv,
  readInteractions,
  readJsonLines,
  readXmc,
  readXmcHeader,
  readXmcRows,
  type ReadInteractionsOptions,
  type ReadRecordsOptions,
} from './node/read-records.ts';
export { prefetchFromWorker, type PrefetchFromWorkerOptions } from './node/prefetch-from-worker.ts';
export { readLineBlocks, type ReadLineBlocksOptions } from './node/read-line-blocks.ts';
export {
  openLabelled,
  readLabelledTexts,
  type LabelledInput,
  type OpenLabelledOptions,
} from './node/read-labelled-texts.ts';
export { openXmcFile, type OpenXmcFileOptions, type XmcFile } from './node/xmc-file.ts';
export { openPlacedFile, storedRowsOfFile, type PlacedFile } from './node/stored-file.ts';
