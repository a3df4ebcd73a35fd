// Entry point @vastmax/lm-models/text: language models and word vectors of a text. Runs anywhere.
export {
  readVocabulary,
  createTextReading,
  inLetterCase,
  letterCases,
  loadTextReading,
  tokenizerNames,
  type SavedText,
  type SubwordTokenizer,
  type TextReading,
  type TextSettings,
} from './text/text-reading.ts';
export {
  createTextModel,
  defaultStepsOf,
  textBody,
  TextModel,
  textModelNames,
  type ContinuedTextOptions,
  type ExampleSettings,
  type PromptPredictionOptions,
  type TextBatch,
  type TextBatches,
  type TextBody,
  type TextBodyChoice,
  type TextBodyOptions,
  type TextData,
  type TextModelName,
  type TextNetwork,
} from './text/text-model.ts';
export { exampleSettingsFrom, loadTextModel, type SavedTextModel } from './text/saved-text-model.ts';
