// A pattern of a tokenizer.json is a regular expression of Oniguruma, or a text. @huggingface/tokenizers translates the
// former; what it would translate to something else is refused here, or written in another way before.

import { shown, type Fields } from './fields.ts';
import { translateExpression } from './huggingface.ts';

/** White space in the sense of Rust and Oniguruma; \s of JavaScript has U+FEFF too, and lacks U+0085. */
export const SPACE: string = String.raw`\p{White_Space}`;

/** An atom with a possessive quantifier, such as `\p{L}++`; `[` in a class is one only if it is escaped. */
const POSSESSIVE = /(\[(?:\\.|[^\\[\]])+\]|\\[pP]\{[^}]*\}|\\.|[^\\()[\]{}|*+?^$.])([*+?])\+/gsu;

/**
 * As a global expression.
 * @throws SparseDataError `bad-tokenizer` for an expression that cannot be translated.
 */
export function readPattern(fields: Fields, name: string): RegExp {
  const pattern = fields.object(name);
  const text = pattern.optional('String', (key) => pattern.string(key));
  const source = pattern.optional('Regex', (key) => pattern.string(key));
  pattern.end();
  if (text !== undefined && source === undefined) return new RegExp(escapeRegExp(text), 'gu');
  if (source === undefined || text !== undefined) throw pattern.error('needs either String or Regex');
  const fail = (problem: string): Error =>
    pattern.error(`is ${shown(source)}, which ${problem}; other parts of tokenizer.json are usable`);
  let atomic = 0;
  const rewritten = source.replaceAll(POSSESSIVE, (_, atom: string, quantifier: string) => {
    const group = `possessive${atomic++}`;
    return String.raw`(?:(?=(?<${group}>${atom}${quantifier}))\k<${group}>)`;
  });
  const outside = rewritten.replaceAll(/\\.|\[(?:\\.|[^\\\]])*\]/gsu, 'x');
  if (/[*+?]\+/.test(outside)) throw fail('has a possessive quantifier after a group, which JavaScript lacks');
  if (outside.includes('(?>')) throw fail('has an atomic group, which JavaScript lacks');
  if (/\\G/.test(rewritten)) throw fail(String.raw`has \G, which JavaScript lacks`);
  try {
    const translated = translateExpression(rewritten);
    if (translated !== null) return translated;
  } catch (error) {
    throw fail(`cannot be translated (${error instanceof Error ? error.message : String(error)})`);
  }
  throw fail('cannot be translated');
}

export function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, (mark) => (mark === '-' ? String.raw`\x2d` : `\\${mark}`));
}
