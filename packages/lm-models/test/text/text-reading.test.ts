import { ModelError } from '@vastmax/lm-models';
import {
  createTextReading,
  inLetterCase,
  loadTextReading,
  type SubwordTokenizer,
  type TextSettings,
} from '@vastmax/lm-models/text';
import { SparseDataError } from '@vastmax/sparse-data';
import { expect, it } from 'vitest';

const settings: TextSettings = { tokenizer: 'words', letterCase: 'keep', endOfLine: '<eos>', unknown: '<unk>' };
/** Two characters a token. */
const pairs: SubwordTokenizer = {
  tokenize: (line) => line.match(/..?/gs) ?? [],
  detokenize: (tokens) => tokens.join(''),
};
const savedText = (text: unknown, definition = '{}'): Parameters<typeof loadTextReading>[0] => ({
  configuration: { text: text as Record<string, string> },
  location: 'models/toy',
  text: () => definition,
});

it.each([
  ['whitespace', 'keep', ["Don't", 'stop,', 'Ann!']],
  ['words', 'lower', ["don't", 'stop', ',', 'ann', '!']],
  ['words', 'upper', ["DON'T", 'STOP', ',', 'ANN', '!']],
  ['segmenter', 'lower', ["don't", 'stop', ',', 'ann', '!']],
] as const)('%s in the letter case %s', (tokenizer, letterCase, words) => {
  const reading = createTextReading({ ...settings, tokenizer, letterCase });
  expect([...reading.tokenize("Don't stop, Ann!")]).toEqual(words);
  expect(reading.join(words)).toBe(words.join(' '));
  expect(reading.texts).toEqual({});
});

it('the letter case follows the language of the text', () => {
  expect(inLetterCase({ ...settings, letterCase: 'lower', locale: 'tr' }, 'IS')).toBe('ıs');
  expect(inLetterCase({ ...settings, letterCase: 'upper', locale: 'tr' }, 'is')).toBe('İS');
  expect(inLetterCase({ ...settings, letterCase: 'lower' }, 'IS')).toBe('is');
});

it('subwords are joined by their tokenizer, the words for line ends and unknown words apart', () => {
  const reading = createTextReading(
    { ...settings, tokenizer: 'subword' },
    { tokenizer: pairs, definition: '{"model":{}}' },
  );
  expect([...reading.tokenize('abcde')]).toEqual(['ab', 'cd', 'e']);
  expect(reading.join(['ab', 'cd', '<eos>', '<unk>', 'e'])).toBe('abcd <eos> <unk> e');
  expect(reading.texts).toEqual({ 'tokenizer.json': '{"model":{}}' });
  expect(() => createTextReading({ ...settings, tokenizer: 'subword' })).toThrow(
    expect.objectContaining({ name: 'ModelError', code: 'bad-option' }),
  );
});

it('a checkpoint reads text as its training did', () => {
  const never = (): never => expect.unreachable();
  const { tokenizer, endOfLine, unknown } = settings;
  expect(loadTextReading(savedText({ ...settings, locale: 'tr' }), never).settings).toEqual({
    ...settings,
    locale: 'tr',
  });
  // Models from before there were three letter cases.
  const old = { tokenizer, endOfLine, unknown, lowerCase: true };
  expect(loadTextReading(savedText(old), never).settings).toEqual({ ...settings, letterCase: 'lower' });
  const names: string[] = [];
  const subword = loadTextReading(savedText({ ...settings, tokenizer: 'subword' }, '{"a": 1}'), (json, { name }) => {
    expect(json).toEqual({ a: 1 });
    names.push(name);
    return pairs;
  });
  expect(names).toEqual(['models/toy: tokenizer.json']);
  expect(subword.texts).toEqual({ 'tokenizer.json': '{"a": 1}' });
});

it.each([
  ['nothing', undefined],
  ['a tokenizer that is none', { ...settings, tokenizer: 'letters' }],
  ['no letter case', { tokenizer: 'words', endOfLine: '<eos>', unknown: '<unk>' }],
  ['a number for a word', { ...settings, endOfLine: 3 }],
])('%s in a checkpoint is a state-mismatch', (_what, text) => {
  expect(() => loadTextReading(savedText(text), () => pairs)).toThrow(ModelError);
});

it('a damaged tokenizer.json is named', () => {
  const damaged = savedText({ ...settings, tokenizer: 'subword' }, '{"model":');
  expect(() => loadTextReading(damaged, () => pairs)).toThrow(SparseDataError);
  expect(() => loadTextReading(damaged, () => pairs)).toThrow(
    /^models\/toy: tokenizer\.json \(9 characters\) is not JSON/,
  );
});
