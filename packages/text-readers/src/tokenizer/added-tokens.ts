// Added tokens are found in a text before it is tokenised: those that are not `normalized` in the text as it is, then
// the others, in normalised form, in the normalised text between. As the reference implementation has it.

import { shown, type Fields } from './fields.ts';
import type { Normalize } from './normalizers.ts';
import { escapeRegExp, SPACE } from './patterns.ts';
import type { Piece } from './pre-tokenizers.ts';

export interface AddedToken {
  readonly content: string;
  /** What is looked for in the text. */
  readonly form: string;
  readonly id: number;
  readonly singleWord: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** @throws SparseDataError `bad-tokenizer` for a token with an unknown field, without an id, or of no content. */
export function readAddedTokens(fields: Fields, normalize: Normalize): AddedToken[] {
  if (fields.get('added_tokens') === undefined || fields.get('added_tokens') === null) return [];
  const contentOf = new Map<string, string>();
  return fields.objects('added_tokens').map((token) => {
    const special = token.boolean('special', false);
    const read = {
      content: token.string('content'),
      id: token.count('id'),
      singleWord: token.boolean('single_word', false),
      lstrip: token.boolean('lstrip', false),
      rstrip: token.boolean('rstrip', false),
      normalized: token.boolean('normalized', !special),
      special,
    };
    token.end();
    const form = read.normalized ? normalize(read.content) : read.content;
    if (form === '')
      throw token.error(
        `is ${shown(read.content)}, of which the normalizer leaves nothing; set its normalized to false`,
      );
    const key = `${String(read.normalized)} ${form}`;
    const other = contentOf.get(key);
    if (other !== undefined)
      throw token.error(
        `is ${shown(read.content)}, which is found as ${shown(form)}, and so is ${shown(other)}; remove one of them`,
      );
    contentOf.set(key, read.content);
    return { ...read, form };
  });
}

/** A token, or a piece of text between tokens. */
export type Section = AddedToken | Piece;

/** Divides a text into added tokens and the normalised text between them. */
export function createSplitter(tokens: readonly AddedToken[], normalize: Normalize): (text: string) => Section[] {
  const asTheyAre = createFinder(tokens.filter(({ normalized }) => !normalized));
  const inNormalForm = createFinder(tokens.filter(({ normalized }) => normalized));
  return (text) =>
    asTheyAre({ text, isFirst: true }).flatMap((section) =>
      'content' in section
        ? [section]
        : inNormalForm({
            text: normalize(section.text),
            isFirst: section.isFirst && !dropsStart(section.text, normalize),
          }).filter((part) => 'content' in part || part.text !== ''),
    );
}

/** Whether a normalizer leaves nothing of the first characters: what is left then is not the start of the text. */
function dropsStart(text: string, normalize: Normalize): boolean {
  const start = [...text.slice(0, 8)];
  return [1, 2, 3, 4].some((length) => length <= start.length && normalize(start.slice(0, length).join('')) === '');
}

/** Letters, digits, marks and connectors. */
const WORD = String.raw`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]`;
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u');
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u');
const SPACES_AT_START = new RegExp(`^${SPACE}*`, 'u');
const IS_SPACE = new RegExp(SPACE, 'u');

function createFinder(tokens: readonly AddedToken[]): (piece: Piece) => Section[] {
  const byForm = new Map(tokens.map((token) => [token.form, token]));
  if (byForm.size === 0) return (piece) => [piece];
  // Of several that begin at one place, the longest.
  const forms = [...byForm.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(forms.map(escapeRegExp).join('|'), 'gu');
  return ({ text, isFirst }) => {
    const sections: Section[] = [];
    let done = 0;
    for (const { 0: form, index } of text.matchAll(pattern)) {
      const token = byForm.get(form);
      if (token === undefined) continue;
      let start = index;
      let end = index + form.length;
      if (
        token.singleWord &&
        (ENDS_WITH_WORD.test(text.slice(Math.max(0, start - 2), start)) ||
          STARTS_WITH_WORD.test(text.slice(end, end + 2)))
      )
        continue;
      // Of white space each character has one code unit.
      if (token.lstrip) while (start > done && IS_SPACE.test(text[start - 1]!)) start--;
      if (token.rstrip) end += SPACES_AT_START.exec(text.slice(end))?.[0].length ?? 0;
      if (done < start) sections.push({ text: text.slice(done, start), isFirst: isFirst && done === 0 });
      sections.push(token);
      done = end;
    }
    if (done < text.length) sections.push({ text: text.slice(done), isFirst: isFirst && done === 0 });
    return sections;
  };
}
