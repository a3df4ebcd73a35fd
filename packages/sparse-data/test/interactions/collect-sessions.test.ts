import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectSessions } from '../../src/interactions/collect-sessions.ts';
import { parseInteractions } from '../../src/interactions/parse-interactions.ts';
import { Vocabulary } from '../../src/text/vocabulary.ts';
import { listsOf, rowsOf } from '../rows-of.ts';
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

  it('leaves out rare users and items in turn until none is below its minimum', async () => {
    const pairs = ['ann a', 'ann b', 'bob a', 'bob b', 'cy b', 'cy c', 'dan c', 'dan d', 'eve c'];
    const stream = pairs.map((pair, line) => {
      const [user = '', item = ''] = pair.split(' ');
      return { line, user, item, time: 0, weight: 1 };
    });
    // d goes, then dan, who has one item left, then c, then cy.
    const { sessions, users, items } = await collectSessions(stream, { minimumCount: 2, minimumUserCount: 2 });
    expect(users).toEqual(['ann', 'bob']);
    expect(items.tokens).toEqual(['a', 'b']);
    expect([...items.counts]).toEqual([2, 2]);
    expect(listsOf(sessions)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('agrees with a naive collection', async () => {
    const name = fc.integer({ min: 0, max: 5 }).map(String);
    const interaction = fc.record({
      user: name,
      item: name,
      time: fc.integer({ min: 0, max: 3 }),
      weight: fc.constantFrom(1, 2),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(interaction, { minLength: 1 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 3 }),
        async (all, minimumUserCount, minimumCount) => {
          let left = all.map((each, line) => ({ line, ...each }));
          const countOf = (key: 'user' | 'item', value: string): number =>
            left.filter((each) => each[key] === value).length;
          for (let before = -1; before !== left.length;) {
            before = left.length;
            left = left.filter(
              ({ user, item }) => countOf('user', user) >= minimumUserCount && countOf('item', item) >= minimumCount,
            );
          }
          const stream = all.map((each, line) => ({ line, ...each }));
          if (new Set(left.map(({ item }) => item)).size < 2) {
            expect(await thrownBy(() => collectSessions(stream, { minimumCount, minimumUserCount }))).toContain(
              'bad-vocabulary',
            );
            return;
          }
          const { sessions, times, users, items } = await collectSessions(stream, { minimumCount, minimumUserCount });
          const rows = rowsOf(sessions);
          let entry = 0;
          const found = users.flatMap((user, row) =>
            rows[row]!.map(([item, weight]) => ({ user, item: items.tokenOf(item), time: times[entry++], weight })),
          );
          const order = [...new Set(all.map(({ user }) => user))];
          const sorted = left.toSorted(
            (a, b) => order.indexOf(a.user) - order.indexOf(b.user) || a.time - b.time || a.line - b.line,
          );
          expect(found).toEqual(sorted.map(({ user, item, time, weight }) => ({ user, item, time, weight })));
          expect(users).toEqual(
            minimumUserCount === 0 ? order : order.filter((user) => sorted.some((each) => each.user === user)),
          );
        },
      ),
    );
  });

  it('rejects no interactions, no item that is kept, and passes on what the stream throws', async () => {
    expect(await thrownBy(() => collectSessions([]))).toContain(
      'empty-input: collectSessions: there are no interactions',
    );
    expect(await thrownBy(() => collectSessions(parseInteractions(lines), { minimumCount: 9 }))).toContain(
      'bad-vocabulary: collectSessions: no item is left of 4 items (7 interactions) with at least 9 interactions an item and 0 a user; 2 items are needed',
    );
    expect(await thrownBy(() => collectSessions(parseInteractions([...lines, 'dan,,4'])))).toContain('bad-interaction');
  });
});
