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
