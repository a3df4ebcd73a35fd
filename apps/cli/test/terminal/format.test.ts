import { describe, expect, it } from 'vitest';
import { bytes, duration, shellWord, table } from '../../src/terminal/terminal.ts';

describe('duration', () => {
  it.each([
    [0, '0.0 s'],
    [2.34, '2.3 s'],
    [9.96, '10 s'],
    [59.6, '1 min 0 s'],
    [497, '8 min 17 s'],
    [3599.7, '1 h 0 min'],
    [8040, '2 h 14 min'],
    [Infinity, 'an unknown time'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

it('bytes takes the unit that fits', () => {
  expect([0, 1023, 1536, 5 * 2 ** 30].map(bytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB']);
});

it('table aligns its first column to the left and the others to the right', () => {
  expect(
    table([
      ['', 'x'],
      ['name', '10.5'],
      ['n', '1'],
    ]),
  ).toBe('         x\nname  10.5\nn        1');
});

it.each([
  ['models/wiki-2', 'models/wiki-2'],
  ['my models', "'my models'"],
  ["it's", String.raw`'it'\''s'`],
  ['', "''"],
])('shellWord(%o) is %s', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});
