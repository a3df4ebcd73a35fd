// Entry point @vastmax/sparse-data/records: parsers of text formats, one line or record at a time.
export { parseJsonLines, type JsonLine } from './records/parse-json-lines.ts';
export { parseCsv, type CsvRecord, type CsvOptions, type CsvColumns } from './records/parse-csv.ts';
export {
  parseInteractionRecords,
  parseInteractions,
  parseItemLines,
  type InteractionColumns,
  type InteractionOptions,
  type InteractionRecord,
  type InteractionRecordOptions,
} from './interactions/parse-interactions.ts';
export type { Interaction, InteractionTimeFormat } from './interactions/interaction-values.ts';
export {
  detectInteractionFormat,
  interactionFormatNames,
  type InteractionFormat,
} from './interactions/interaction-formats.ts';
export { collectSessions, type CollectSessionsOptions, type Sessions } from './interactions/collect-sessions.ts';
export {
  parseXmc,
  parseXmcHeader,
  type XmcHeader,
  type XmcOptions,
  type XmcPoint,
  type XmcRows,
  type XmcShape,
} from './labels/parse-xmc.ts';
export {
  collectLabelLines,
  targetsOfLabelLines,
  type LabelLines,
  type LabelLinesOptions,
} from './labels/label-lines.ts';
export { xmcRows } from './labels/xmc-rows.ts';
export { parseXmcRows, type XmcBatch, type XmcRowsOptions } from './labels/parse-xmc-rows.ts';
export { ByteStrings } from './texts/byte-strings.ts';
export {
  detectLabelFormat,
  labelFormatNames,
  textFormatNames,
  type LabelFormat,
  type TextFormat,
} from './texts/label-formats.ts';
export { DEFAULT_LABEL_PREFIX, END_OF_TEXT, LabelledTexts, type LabelledTextsOptions } from './texts/labelled-texts.ts';
export { hashOfBytes, type NgramSettings } from './texts/ngram-hashes.ts';
export {
  collectLabelledTexts,
  linesOfBlocks,
  parseLabelledTexts,
  type LabelledTextBatch,
  type LabelledTextFormat,
  type LineBlocks,
} from './texts/parse-labelled-texts.ts';
export { checkNgramSettings, noNgrams, TextFeatures } from './texts/text-features.ts';
export { buildTextVocabulary, labelsByFrequency, targetsOfTexts, type KeptStrings } from './texts/text-vocabulary.ts';
