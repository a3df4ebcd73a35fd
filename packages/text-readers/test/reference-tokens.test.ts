import { readFileSync } from 'node:fs';
import { isSparseDataError } from '@vastmax/sparse-data';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import { describe, expect, it } from 'vitest';

interface Case {
  readonly json: { readonly model: { readonly type: string } };
  readonly texts: readonly (readonly [text: string, tokens: readonly string[], decoded: string | null])[];
}

/** Of fixtures/reference_tokens.py, which the Rust implementation has written. */
const cases = JSON.parse(
  readFileSync(new URL('fixtures/reference-tokens.json', import.meta.url), 'utf8'),
) as readonly Case[];

describe('a tokenizer.json of any parts gives the tokens and texts of the reference', () => {
  it.each(['BPE', 'Unigram', 'WordPiece', 'WordLevel'])('with a model %s', (type) => {
    const drawn = cases.filter(({ json }) => json.model.type === type);
    expect(drawn.length).toBeGreaterThan(10);
    for (const { json, texts } of drawn) {
      const { tokenize, detokenize } = createSubwordTokenizer(json);
      for (const [text, tokens, decoded] of texts) {
        expect([text, ...tokenize(text)]).toEqual([text, ...tokens]);
        if (decoded !== null) expect(detokenize(tokens)).toBe(decoded);
      }
    }
  });
});

describe('a field of tokenizer.json', () => {
  const message = (json: unknown): string => {
    try {
      createSubwordTokenizer(json, { name: 'here.json' });
    } catch (error) {
      if (isSparseDataError(error) && error.code === 'bad-tokenizer') return error.message;
      throw error;
    }
    return '';
  };
  const vocab = { '<unk>': 0, a: 1, b: 2, ab: 3 };
  const model = { type: 'BPE', unk_token: '<unk>', vocab, merges: ['a b'] };
  const added = { id: 9, content: 'X', special: true };
  const bytes = Array.from({ length: 256 }, (_, byte) => [
    `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    -9,
  ]);

  it.each<[string, object, string]>([
    ['unknown at the top', { model, colour: 1 }, 'here.json: has the field "colour", which is not known here'],
    ['that cuts off texts', { model, truncation: { max_length: 5 } }, 'has truncation, which cuts off long texts'],
    ['that fills texts up', { model, padding: { length: 5 } }, 'has padding, which adds tokens'],
    ['of an unknown normalizer', { model, normalizer: { type: 'Rot13' } }, 'here.json: normalizer has type "Rot13"'],
    [
      'of a normalizer in a list',
      { model, normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase', locale: 'tr' }] } },
      'here.json: normalizer.normalizers[1] has the field "locale"',
    ],
    [
      'of an unknown pre-tokenizer',
      { model, pre_tokenizer: { type: 'UnicodeScripts' } },
      'pre_tokenizer has type "UnicodeScripts"',
    ],
    [
      'of an unknown behavior',
      { model, pre_tokenizer: { type: 'Punctuation', behavior: 'Swallowed' } },
      'has behavior "Swallowed"; what is known here is Removed, Isolated',
    ],
    [
      'with an expression that JavaScript lacks',
      { model, pre_tokenizer: { type: 'Split', pattern: { Regex: '(?>a)b' }, behavior: 'Isolated', invert: false } },
      'pre_tokenizer.pattern is "(?>a)b", which has an atomic group',
    ],
    [
      'with an expression that is none',
      { model, pre_tokenizer: { type: 'Split', pattern: { Regex: '(a' }, behavior: 'Isolated', invert: false } },
      'cannot be translated',
    ],
    [
      'of the first piece',
      {
        model,
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [{ type: 'Whitespace' }, { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' }],
        },
      },
      'pre_tokenizer.pretokenizers[1] has prepend_scheme first after another pre-tokenizer',
    ],
    ['of an unknown decoder', { model, decoder: { type: 'CTC' } }, 'decoder has type "CTC"'],
    ['of an unknown post-processor', { model, post_processor: { type: 'Magic' } }, 'post_processor has type "Magic"'],
    ['of an unknown model', { model: { ...model, type: 'Telepathy' } }, 'model has type "Telepathy"'],
    ['unknown in a model', { model: { ...model, temperature: 1 } }, 'model has the field "temperature"'],
    ['that makes tokens random', { model: { ...model, dropout: 0.1 } }, 'model has dropout 0.1'],
    [
      'of parts of words',
      { model: { ...model, continuing_subword_prefix: '##' } },
      'model has the continuing_subword_prefix "##"',
    ],
    [
      'of bytes that are not there',
      { model: { ...model, byte_fallback: true } },
      'has byte_fallback, but no token <0x00>',
    ],
    [
      'of bytes that are not there',
      { model: { type: 'Unigram', unk_id: 0, byte_fallback: true, vocab: [['<unk>', 0], ...bytes.slice(1)] } },
      'has byte_fallback, but no token <0x00>',
    ],
    [
      'with a merge of no token',
      { model: { ...model, merges: ['a c'] } },
      'has merge 0 of ["a","c"], but no token "c"',
    ],
    ['with a merge of three', { model: { ...model, merges: ['a b a'] } }, 'has merge 0 "a b a"; two tokens are needed'],
    ['of an id that is none', { model: { ...model, vocab: { ...vocab, b: -1 } } }, 'has the id -1 of "b"'],
    [
      'unknown in an added token',
      { model, added_tokens: [{ ...added, score: 1 }] },
      'added_tokens[0] has the field "score"',
    ],
    [
      'with an added token of nothing',
      {
        model,
        normalizer: { type: 'Strip', strip_left: true, strip_right: true },
        added_tokens: [{ id: 9, content: ' ' }],
      },
      'added_tokens[0] is " ", of which the normalizer leaves nothing',
    ],
    [
      'with two added tokens of one form',
      {
        model,
        normalizer: { type: 'Lowercase' },
        added_tokens: [
          { id: 9, content: 'X' },
          { id: 10, content: 'x' },
        ],
      },
      'added_tokens[1] is "x", which is found as "x", and so is "X"',
    ],
    [
      'with a damaged character map',
      { model, normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAEAAA==' } },
      'has a precompiled_charsmap of 4 bytes, with a trie of 256',
    ],
  ])('%s is refused when the file is opened', (_, json, problem) => {
    expect(message({ version: '1.0', added_tokens: [], ...json })).toContain(problem);
  });

  it('that is missing has the value of the reference', () => {
    expect(message({ model })).toBe('');
    expect([...createSubwordTokenizer({ model: { vocab, merges: [] } }).tokenize('aXb')]).toEqual(['a', 'b']);
  });

  it('that no token is for is an error of the text, not a token', () => {
    const { tokenize } = createSubwordTokenizer(
      { model: { type: 'Unigram', vocab: [['a', -1]] } },
      { name: 'here.json' },
    );
    expect(() => [...tokenize('ab')]).toThrow('here.json: model has no token for "b", and no unk_id');
  });
});

it('words that no tokenizer has can be shown', () => {
  const { detokenize } = createSubwordTokenizer({
    model: { type: 'WordLevel', unk_token: '?', vocab: { '?': 0 } },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  });
  expect(detokenize(['▁cat', '🍣', '▁fish', '<0xF0>'])).toBe('cat🍣 fish<0xF0>');
  expect(detokenize([])).toBe('');
});
