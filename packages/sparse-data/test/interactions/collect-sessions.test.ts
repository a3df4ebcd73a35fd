import { describe, expect, it } from 'vitest';
import { collectSessions } from '../../src/interactions/collect-sessions.ts';
import { parseInteractions } from '../../src/interactions/parse-interactions.ts';
import { Vocabulary } from '../../src/text/vocabulary.ts';
import { listsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

const lines = ['user,item,time', 'ann,b,3', 'bob,a,1', 'ann,a,1', 'ann,c,3', 'bob,b,0', 'ann,a,9', 'cy,d,5'];

describe('collectSessions', () => {
  it('gives each user a row, in the order of time, items by falling frequency', async () => {
    const { sessions, users, items } = await collectSessions(parseInteractions(lines));
    expect(users).toEqual(['ann', 'bob', 'cy']);
    expect(Array.from({ length: items.size }, (_, id) => items.tokenOf(id))).toEqual(['a', 'b', 'c', 'd']);
    expect(listsOf(sessions)).toEqual([[0, 1, 2, 0], [1, 0], [3]]);
    expect(sessions.columns).toBe(4);
  });

  it('leaves out rare items, and those that the given vocabulary has not', async () => {
    const frequent = await collectSessions(parseInteractions(lines), { minimumCount: 2 });
    expect(listsOf(frequent.sessions)).toEqual([[0, 1, 0], [1, 0], []]);
    const items = new Vocabulary({ tokens: ['d', 'b'], counts: [2, 1] });
    const given = await collectSessions(parseInteractions(lines), { items });
    expect(listsOf(given.sessions)).toEqual([[1], [1], [0]]);
    expect(given.items).toBe(items);
  });

  it('rejects no interactions, no item that is kept, and passes on what the stream throws', async () => {
    expect(await thrownBy(() => collectSessions([]))).toContain(
      'empty-input: collectSessions: there are no interactions',
    );
    expect(await thrownBy(() => collectSessions(parseInteractions(lines), { minimumCount: 9 }))).toContain(
      'bad-vocabulary: VocabularyCounter.build: no token is left of 4 distinct tokens (7 in all) with minimumCount 9',
    );
    expect(await thrownBy(() => collectSessions(parseInteractions([...lines, 'dan,,4'])))).toContain('bad-interaction');
  });
});
