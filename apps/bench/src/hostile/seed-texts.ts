/** Small files of every kind that the readers take. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';

const letters = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at));
const merges = ['w o', 'r d', 'wo rd'];

/** With a step of each sort, so that mutations of each are opened. */
export const bytePairTokenizer: object = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [
    { id: 40, content: '<s>', single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'NFC' },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      { type: 'Lowercase' },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\s?\\p{L}+' }, behavior: 'Isolated', invert: false },
      { type: 'Digits', individual_digits: true },
    ],
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [40], tokens: ['<s>'] } },
  },
  decoder: {
    type: 'Sequence',
    decoders: [{ type: 'Replace', pattern: { String: '_' }, content: ' ' }, { type: 'Fuse' }],
  },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: 'a',
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    vocab: Object.fromEntries(
      [...letters, ...merges.map((merge) => merge.replace(' ', ''))].map((token, id) => [token, id]),
    ),
    merges,
  },
};

const unigramTokenizer: object = {
  ...bytePairTokenizer,
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: [
      ['<unk>', 0],
      ['▁', -3],
      ['a', -4],
      ['ab', -2],
      ['▁ab', -2.5],
    ],
  },
};

const wordPieceTokenizer: object = {
  ...bytePairTokenizer,
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[UNK]': 0, un: 1, '##aff': 2, '##able': 3 },
  },
};

const lines = Array.from({ length: 60 }, (_, at) => `the word${at % 7} of line ${at}, and one more`).join('\n');
const vectors = Array.from({ length: 12 }, (_, at) => Float32Array.of(at, -at / 3, 0.5));

function binaryVectors(): Buffer {
  const words = vectors.flatMap((vector, at) => [
    Buffer.from(`word${at} `),
    Buffer.from(vector.buffer),
    Buffer.from('\n'),
  ]);
  return Buffer.concat([Buffer.from('12 3\n'), ...words]);
}

function parquet(codec: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP'): Buffer {
  return Buffer.from(
    parquetWriteBuffer({
      columnData: [
        {
          name: 'text',
          data: Array.from({ length: 90 }, (_, at) => (at % 9 === 4 ? null : `text ${at % 5}`)),
          type: 'STRING',
        },
        { name: 'user', data: Array.from({ length: 90 }, (_, at) => at * 3), type: 'INT32' },
      ],
      codec,
      rowGroupSize: 50,
      compressors: { GZIP: (bytes) => gzipSync(bytes) },
    }),
  );
}

export type SeedKind =
  | 'parquet'
  | 'tokenizer'
  | 'text'
  | 'json-lines'
  | 'csv'
  | 'labels'
  | 'vectors-text'
  | 'vectors-binary'
  | 'word-pairs'
  | 'config';

/** Files of each kind; of a JSON file its mutations know the structure. */
export const seedTexts: Readonly<Record<SeedKind, readonly Uint8Array[]>> = {
  parquet: [parquet('UNCOMPRESSED'), parquet('SNAPPY'), parquet('GZIP')],
  tokenizer: [bytePairTokenizer, unigramTokenizer, wordPieceTokenizer].map((json) => Buffer.from(JSON.stringify(json))),
  text: [Buffer.from(lines), gzipSync(lines), brotliCompressSync(lines)],
  'json-lines': [
    Buffer.from(
      Array.from({ length: 30 }, (_, at) => JSON.stringify({ id: at, text: `line ${at}`, tags: ['a', [1, 2]] })).join(
        '\n',
      ),
    ),
  ],
  csv: [
    Buffer.from(
      `user,item,time\n${Array.from({ length: 30 }, (_, at) => `u${at % 5},"item ${at % 7}",${1000 + at}`).join('\n')}\n`,
    ),
  ],
  labels: [
    Buffer.from(
      `12 10 5\n${Array.from({ length: 12 }, (_, at) => `${at % 5},${(at + 1) % 5} ${at % 10}:0.5 ${(at + 3) % 10}:1.25`).join('\n')}\n`,
    ),
  ],
  'vectors-text': [
    Buffer.from(`12 3\n${vectors.map((vector, at) => `word${at} ${[...vector].join(' ')}`).join('\n')}\n`),
  ],
  'vectors-binary': [binaryVectors()],
  'word-pairs': [Buffer.from('tiger\tcat\t7.35\nbook\tpaper\t7.46\ncomputer\tkeyboard\t7.62\n')],
  config: [
    Buffer.from(
      JSON.stringify({
        $schema: 'train-config.schema.json',
        text: 'wiki.txt',
        model: 'ngram',
        order: 3,
        embedding: 8,
        hidden: [16],
        loss: 'z-loss',
        epochs: 2,
        batch: 64,
        bodyRate: 0.5,
        dropout: 0.1,
        seed: 3,
      }),
    ),
  ],
};
