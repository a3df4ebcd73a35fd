import { createMemoryStorage, openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { failureOf } from '@vastmax/checkpoints/testing';
import { Vocabulary } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { readVocabulary } from '../../src/text/text-reading.ts';

describe('a vocabulary', () => {
  it('comes back from a checkpoint', async () => {
    const memory = createMemoryStorage();
    const vocabulary = new Vocabulary({ tokens: ['tick', 'tock'], counts: [8, 3] });
    const texts = { 'vocabulary.json': JSON.stringify(vocabulary) };
    await writeCheckpoint(memory, { configuration: {}, modules: {}, texts });
    await using checkpoint = await openCheckpoint(memory);
    expect(JSON.stringify(readVocabulary(checkpoint))).toBe(texts['vocabulary.json']);
  });

  it('may have as many words as the model has embeddings, and 131,000 without any', async () => {
    const words = 140_000;
    const vocabulary = new Vocabulary({
      tokens: Array.from({ length: words }, (_, at) => `w${at}`),
      counts: Array.from({ length: words }, () => 1),
    });
    const texts = { 'vocabulary.json': JSON.stringify(vocabulary) };
    const zeros = new Float32Array(words);
    for (const rows of [words, words - 1000, 0]) {
      const memory = createMemoryStorage();
      const embeddings = {
        name: 'embeddings',
        precision: 'f32',
        rows,
        columns: 1,
        read: (first: number, count: number) => Promise.resolve(zeros.subarray(first, first + count)),
      } as const;
      const modules = { body: { configuration: {}, tensors: rows === 0 ? [] : [embeddings] } };
      await writeCheckpoint(memory, { configuration: {}, modules, texts });
      await using checkpoint = await openCheckpoint(memory);
      if (rows === words) expect(readVocabulary(checkpoint).size).toBe(words);
      else
        expect((await failureOf(() => readVocabulary(checkpoint))).message).toContain(
          `has more than ${Math.max(2 ** 18, 2 * rows + 16)} values`,
        );
    }
  });

  it.each([
    ['[', 'is not JSON'],
    ['{}', 'is no vocabulary: vocabularyFromJSON: format is undefined'],
    ['{"tokens":[[]]}', 'is nested deeper than 2 at character 11'],
    ['{"tokens":[],"tokens":[]}', 'has "tokens" twice in one object'],
    [
      '{"format":"vastmax-vocabulary","version":1,"unknownToken":null,"tokens":["a","b"],"counts":[1,1e999]}',
      'has the number "1e999"',
    ],
    [
      '{"format":"vastmax-vocabulary","version":1,"unknownToken":null,"tokens":["a","b"],"counts":[1,2]}',
      'is no vocabulary: Vocabulary: counts rise from 1 at token 0 to 2 at 1',
    ],
  ])('%s is refused, with its storage and name', async (text, problem) => {
    const memory = createMemoryStorage();
    await writeCheckpoint(memory, { configuration: {}, modules: {}, texts: { 'vocabulary.json': text } });
    await using checkpoint = await openCheckpoint(memory);
    const { code, message } = await failureOf(() => readVocabulary(checkpoint));
    expect(`${code}: ${message}`).toContain(
      `bad-json: checkpoint: memory: vocabulary.json (${text.length} characters) ${problem}`,
    );
    expect((await failureOf(() => readVocabulary(checkpoint, 'words.json'))).code).toBe('unknown-name');
  });
});
