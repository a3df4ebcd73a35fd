// Entry point @vastmax/sparse-data/records: parsers of text formats, one line or record at a time.
export { parseJsonLines, type JsonLine } from './records/parse-json-lines.ts';
export { parseCsv, type CsvRecord, type CsvOptions, type CsvColumns } from './records/parse-csv.ts';
export {
  parseInteractions,
  type Interaction,
  type InteractionColumns,
  type InteractionOptions,
  type InteractionTimeFormat,
} from './interactions/parse-interactions.ts';
export { collectSessions, type CollectSessionsOptions, type Sessions } from './interactions/collect-sessions.ts';
export {
  parseXmc,
  parseXmcHeader,
  type XmcHeader,
  type XmcOptions,
  type XmcPoint,
  type XmcShape,
} from './labels/parse-xmc.ts';
export { xmcRows, type XmcRows } from './labels/xmc-rows.ts';
