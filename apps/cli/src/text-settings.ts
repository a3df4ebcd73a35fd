/** How text becomes tokens; kept in the checkpoint, so that evaluation and prediction read text as training did. */
import type { JsonObject } from '@vastmax/output-layer';
import { whitespaceTokens, wordTokens, type Tokenize } from '@vastmax/sparse-data';
import { UsageError } from './usage-error.ts';

export const tokenizerNames = ['whitespace', 'words'] as const;

export interface TextSettings {
  /** `whitespace` splits at white space; `words` takes words, numbers and punctuation marks apart. */
  readonly tokenizer: (typeof tokenizerNames)[number];
  readonly lowerCase: boolean;
  /** The word that ends each line, and that pads a short context. */
  readonly endOfLine: string;
  /** The word that stands for all that the vocabulary lacks. */
  readonly unknown: string;
}

export function tokenizeWith({ tokenizer, lowerCase }: TextSettings): Tokenize {
  if (tokenizer === 'words') return (line) => wordTokens(line, { lowerCase });
  return lowerCase ? (line) => whitespaceTokens(line.toLowerCase()) : whitespaceTokens;
}

/** @throws UsageError when a checkpoint was not written by `vastmax train`. */
export function textSettingsFrom(configuration: JsonObject): TextSettings {
  const text = configuration['text'] as Partial<TextSettings> | undefined;
  if (
    typeof text !== 'object' ||
    !tokenizerNames.some((name) => name === text.tokenizer) ||
    typeof text.lowerCase !== 'boolean' ||
    typeof text.endOfLine !== 'string' ||
    typeof text.unknown !== 'string'
  ) {
    throw new UsageError("this checkpoint does not say how its text was read ('text' is missing in its configuration); was it written by vastmax train?");
  }
  return text as TextSettings;
}
