import { expect, it } from 'vitest';
import { collectLabelLines, targetsOfLabelLines } from '../../src/labels/label-lines.ts';
import { rowsOf } from '../rows-of.ts';
import { thrownBy } from '../thrown-by.ts';

const plain = async (lines: readonly string[], options = {}): Promise<unknown> => {
  const { labels, targets } = await collectLabelLines(lines, options);
  return [labels, targets.columns, rowsOf(targets).map((row) => row.map(([index]) => index))];
};

it('numbers labels by falling frequency, and keeps examples without any', async () => {
  expect(await plain(['7', ' b ', '', 'b', 'a b'])).toEqual([['b', '7', 'a b'], 3, [[1], [0], [], [0], [2]]]);
});

it('splits at a separator, counts a label of a line once, and leaves out rare ones', async () => {
  const lines = ['x, y,x', 'y', ' ,z,y'];
  expect(await plain(lines, { separator: ',' })).toEqual([['y', 'x', 'z'], 3, [[1, 0], [0], [2, 0]]]);
  expect(await plain(lines, { separator: ',', minimumCount: 2 })).toEqual([['y'], 1, [[0], [0], [0]]]);
});

it('takes a line of very many labels in a time that grows with their number', async () => {
  const line = Array.from({ length: 300_000 }, (_, label) => label).join(' ');
  const { targets } = await collectLabelLines([`${line} ${line}`], { separator: ' ' });
  expect(targets.indices.length).toBe(300_000);
}, 10_000);

it('takes known classes only', async () => {
  const classes = new Map([
    ['y', 0],
    ['z', 1],
  ]);
  const targets = await targetsOfLabelLines(['x;y', 'x', 'z'], classes, { separator: ';' });
  expect([targets.columns, rowsOf(targets)]).toEqual([2, [[[0, 1]], [], [[1, 1]]]]);
});

it('refuses an empty separator', async () => {
  expect(await thrownBy(() => collectLabelLines([], { separator: '' }))).toBe(
    'bad-option: label lines: separator is ""; at least a character is needed',
  );
});
