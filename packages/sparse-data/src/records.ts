// Entry point @vastmax/sparse-data/records: parsers of text formats, one line or record at a time.
export { parseJsonLines } from './records/parse-json-lines.ts';
export type { JsonLine } from './records/parse-json-lines.ts';
export { parseCsv } from './records/parse-csv.ts';
export type { CsvRecord } from './records/parse-csv.ts';
export type { CsvOptions } from './records/parse-csv.ts';
export type { CsvColumns } from './records/parse-csv.ts';
export { parseInteractions } from './interactions/parse-interactions.ts';
export type { Interaction, InteractionColumns, InteractionOptions } from './interactions/parse-interactions.ts';
export { collectSessions } from './interactions/collect-sessions.ts';
export type { CollectSessionsOptions, Sessions } from './interactions/collect-sessions.ts';
export type { InteractionTimeFormat } from './interactions/parse-interactions.ts';
export { parseXmc, parseXmcHeader } from './labels/parse-xmc.ts';
export type { XmcHeader, XmcOptions, XmcPoint, XmcShape } from './labels/parse-xmc.ts';
export { xmcRows } from './labels/xmc-rows.ts';
export type { XmcRows } from './labels/xmc-rows.ts';
