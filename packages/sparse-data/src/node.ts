// Entry point @vastmax/sparse-data/node: what needs Node. The main entry runs anywhere.
export { readLines } from './node/read-lines.ts';
export type { ReadLinesOptions } from './node/read-lines.ts';
