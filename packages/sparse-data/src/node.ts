// Entry point @vastmax/sparse-data/node: functions that need Node. The main entry point runs on any JavaScript engine.
export { readLines } from './node/read-lines.ts';
export type { ReadLinesOptions } from './node/read-lines.ts';
export { readCsv, readInteractions, readJsonLines, readXmc, readXmcHeader } from './node/read-records.ts';
export type { ReadRecordsOptions } from './node/read-records.ts';
export { prefetchFromWorker } from './node/prefetch-from-worker.ts';
export type { PrefetchFromWorkerOptions } from './node/prefetch-from-worker.ts';
