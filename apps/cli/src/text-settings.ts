/** How text becomes tokens; kept in the checkpoint, so that evaluation and prediction read text as training did. */
import type { JsonObject } from '@vastmax/linalg-core/state';
import type { LetterCase } from '@vastmax/sparse-data';
import { UsageError } from './usage-error.ts';

export const tokenizerNames = ['whitespace', 'words', 'segmenter'] as const;
export const letterCases: readonly LetterCase[] = ['keep', 'lower', 'upper'];

export interface TextSettings {
  /**
   * `whitespace` splits at white space; `words` takes words, numbers and punctuation marks apart; `segmenter` does so
   * by the rules of Unicode and, for scripts without spaces, by dictionaries; `subword` is a Hugging Face tokenizer,
   * which the checkpoint holds as a text.
   */
  readonly tokenizer: (typeof tokenizerNames)[number] | 'subword';
  /** A subword tokenizer has a rule of its own: `keep`. */
  readonly letterCase: LetterCase;
  /** BCP 47, of the segmenter. */
  readonly locale?: string;
  /** The word that ends each line, and that pads a short context. */
  readonly endOfLine: string;
  /** The word that stands for all that the vocabulary lacks. */
  readonly unknown: string;
}

/** A text in the letter case of the settings. */
export function inLetterCase({ letterCase, locale }: TextSettings, text: string): string {
  if (letterCase === 'keep') return text;
  if (letterCase === 'lower') return locale === undefined ? text.toLowerCase() : text.toLocaleLowerCase(locale);
  return locale === undefined ? text.toUpperCase() : text.toLocaleUpperCase(locale);
}

/** @throws UsageError when a checkpoint was not written by `vastmax train`. */
export function textSettingsFrom(configuration: JsonObject): TextSettings {
  const text = configuration['text'] as (Partial<TextSettings> & { readonly lowerCase?: unknown }) | undefined;
  if (typeof text === 'object') {
    const { tokenizer, lowerCase, locale, endOfLine, unknown } = text;
    // Models from before there were three letter cases say `lowerCase`.
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
  throw new UsageError(
    "this checkpoint does not say how its text was read ('text' is missing in its configuration); was it written by vastmax train?",
  );
}
