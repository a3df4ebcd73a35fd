/**
 * How lines of text become tokens, and tokens become text again. The settings are plain JSON and are kept in the
 * checkpoint of a model, so that evaluation and prediction read text as training did.
 *
 * A subword tokenizer is given as an object with two functions (`createSubwordTokenizer` of `@vastmax/text-readers`
 * makes one of a Hugging Face tokenizer.json), so that this package does not depend on a tokenizer library.
 */
import { CheckpointError, parseJson, shown, type Checkpoint, type Fail } from '@vastmax/checkpoints';
import type { JsonObject } from '@vastmax/linalg-core/state';
import {
  SparseDataError,
  createWordSegmenter,
  isSparseDataError,
  type LetterCase,
  type Tokenize,
  type Vocabulary,
  vocabularyFromJSON,
  whitespaceTokens,
  wordTokens,
} from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import { savedInputs } from '../network/saved-shapes.ts';

/** The names of the tokenizers that need no file. */
export const tokenizerNames = ['whitespace', 'words', 'segmenter'] as const;
/** What can be done with the case of letters. */
export const letterCases: readonly LetterCase[] = ['keep', 'lower', 'upper'];

/** The settings of a {@link TextReading}, as a checkpoint stores them. */
export interface TextSettings {
  /**
   * `whitespace` splits at white space; `words` separates words, numbers and punctuation marks; `segmenter` does so by
   * the rules of Unicode and, for scripts without spaces, by dictionaries; `subword` is a tokenizer of its own, whose
   * definition the checkpoint holds.
   */
  readonly tokenizer: (typeof tokenizerNames)[number] | 'subword';
  /** `keep` for a subword tokenizer, which has a rule of its own. */
  readonly letterCase: LetterCase;
  /** BCP 47, of the segmenter. */
  readonly locale?: string;
  /** The word that ends each line, and that pads a short context. */
  readonly endOfLine: string;
  /** The word that stands for all words that the vocabulary lacks. */
  readonly unknown: string;
}

/** How lines become tokens and tokens become text again. */
export interface TextReading {
  readonly settings: TextSettings;
  /** For countTokens and encodeTokens of `@vastmax/sparse-data`. */
  readonly tokenize: Tokenize;
  /** Tokens as text for people. */
  join(tokens: readonly string[]): string;
  /** What a checkpoint keeps beside the settings, as texts by name. */
  readonly texts: Readonly<Record<string, string>>;
}

/** The tokenizer of `subword` settings. */
export interface SubwordTokenizer {
  readonly tokenize: Tokenize;
  detokenize(tokens: readonly string[]): string;
}

/** Far above those of the largest tokenizers: 262,144 tokens and 580,604 merges of two. */
const tokenizerLimits = { depth: 32, values: 2 ** 22 };

/** The checkpoint's text that defines a subword tokenizer. */
const tokenizerText = 'tokenizer.json';

/**
 * @param subword for the tokenizer `subword`: the tokenizer, and the JSON text that defines it.
 * @throws ModelError `bad-option` when it is missing.
 */
export function createTextReading(
  settings: TextSettings,
  subword?: { readonly tokenizer: SubwordTokenizer; readonly definition: string },
): TextReading {
  if (settings.tokenizer !== 'subword')
    return { settings, tokenize: tokenizeWith(settings), join: (tokens) => tokens.join(' '), texts: {} };
  if (subword === undefined)
    throw new ModelError('bad-option', "createTextReading: the tokenizer 'subword' needs the second argument");
  const { tokenizer, definition } = subword;
  return {
    settings,
    tokenize: tokenizer.tokenize,
    join: (tokens) => joinSubwords(settings, tokenizer, tokens),
    texts: { [tokenizerText]: definition },
  };
}

/** Where the settings of a text are read from: an opened checkpoint has this shape. */
export interface SavedText {
  readonly configuration: JsonObject;
  /** For messages. */
  readonly location: string;
  text(name: string): string;
}

/**
 * Text as the model of a checkpoint was trained on it.
 * @param createSubword makes the tokenizer out of the parsed tokenizer.json.
 * @throws ModelError `state-mismatch` when the checkpoint does not say how its text was read, SparseDataError
 * `bad-json` for a damaged tokenizer.json, and what `createSubword` throws.
 */
export function loadTextReading(
  saved: SavedText,
  createSubword: (json: unknown, options: { readonly name: string }) => SubwordTokenizer,
): TextReading {
  const settings = textSettingsFrom(saved.configuration);
  if (settings.tokenizer !== 'subword') return createTextReading(settings);
  const name = `${saved.location}: ${tokenizerText}`;
  const definition = saved.text(tokenizerText);
  const json = parseJson(definition, tokenizerLimits, (problem, cause) => {
    throw new SparseDataError('bad-json', `${name} (${definition.length} characters) ${problem}`, { cause });
  });
  return createTextReading(settings, { tokenizer: createSubword(json, { name }), definition });
}

/** A text in the letter case of the settings. */
export function inLetterCase({ letterCase, locale }: TextSettings, text: string): string {
  if (letterCase === 'keep') return text;
  if (letterCase === 'lower') return locale === undefined ? text.toLowerCase() : text.toLocaleLowerCase(locale);
  return locale === undefined ? text.toUpperCase() : text.toLocaleUpperCase(locale);
}

function textSettingsFrom(configuration: JsonObject): TextSettings {
  const text = configuration['text'] as (Partial<TextSettings> & { readonly lowerCase?: unknown }) | null | undefined;
  if (typeof text === 'object' && text !== null) {
    const { tokenizer, lowerCase, locale, endOfLine, unknown } = text;
    // Models from before there were three letter cases have `lowerCase`.
    const letterCase = text.letterCase ?? (lowerCase === true ? 'lower' : lowerCase === false ? 'keep' : undefined);
    if (
      tokenizer !== undefined &&
      [...tokenizerNames, 'subword'].includes(tokenizer) &&
      letterCase !== undefined &&
      letterCases.includes(letterCase) &&
      (locale === undefined || typeof locale === 'string') &&
      typeof endOfLine === 'string' &&
      typeof unknown === 'string'
    ) {
      return { tokenizer, letterCase, ...(locale === undefined ? {} : { locale }), endOfLine, unknown };
    }
  }
  throw new ModelError(
    'state-mismatch',
    `the checkpoint does not say how its text was read: 'text' in its configuration is ${shown(text)}, an object with tokenizer, letterCase, endOfLine and unknown is needed`,
  );
}

function tokenizeWith(settings: TextSettings): Tokenize {
  const { tokenizer, letterCase, locale } = settings;
  if (tokenizer === 'segmenter')
    return createWordSegmenter({ letterCase, ...(locale === undefined ? {} : { locale }) });
  const split: Tokenize = tokenizer === 'words' ? wordTokens : whitespaceTokens;
  return letterCase === 'keep' ? (line) => split(line) : (line) => split(inLetterCase(settings, line));
}

/** The words for the end of a line and for unknown words are not the tokenizer's. */
function joinSubwords(
  { endOfLine, unknown }: TextSettings,
  { detokenize }: SubwordTokenizer,
  tokens: readonly string[],
): string {
  const parts: string[] = [];
  let run: string[] = [];
  const endRun = (): void => {
    if (run.length > 0) parts.push(detokenize(run));
    run = [];
  };
  for (const token of tokens) {
    if (token !== endOfLine && token !== unknown) {
      run.push(token);
      continue;
    }
    endRun();
    parts.push(token);
  }
  endRun();
  return parts.join(' ');
}

/** A vocabulary may have so many values, however few words the model has. */
const freeValues = 2 ** 18;

/**
 * The vocabulary that a checkpoint holds as the text of `JSON.stringify(vocabulary)`. O(characters).
 * @param name of the text.
 * @throws CheckpointError `unknown-name` when there is no such text, `bad-json` when it is no vocabulary, with folder,
 * name and reason.
 */
export function readVocabulary(
  checkpoint: Pick<Checkpoint, 'location' | 'module' | 'moduleNames' | 'text'>,
  name = 'vocabulary.json',
): Vocabulary {
  const text = checkpoint.text(name);
  const fail: Fail = (problem, cause) => {
    throw new CheckpointError(
      'bad-json',
      `checkpoint: ${checkpoint.location}: ${name} (${text.length} characters) ${problem}`,
      { cause },
    );
  };
  // A word and its count for each row of the embeddings, the lists of both, and what stands beside them.
  const inputs = savedInputs(checkpoint);
  const value = parseJson(text, { depth: 2, values: Math.max(freeValues, 2 * (inputs ?? 0) + 16) }, fail);
  try {
    return vocabularyFromJSON(value);
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return fail(`is no vocabulary: ${error.message}`, error);
  }
}
