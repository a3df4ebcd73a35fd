import { describe, expect, it } from 'vitest';
import { markdownTable } from '../../src/reporting/markdown-table.ts';

describe('markdownTable', () => {
  it('pads its columns and puts numbers to the right', () => {
    expect(
      markdownTable(
        ['name', 'x'],
        [
          ['a', '1.5e-3'],
          ['bcdef', '12'],
        ],
      ),
    ).toBe(['| name  |      x |', '| ----- | -----: |', '| a     | 1.5e-3 |', '| bcdef |     12 |'].join('\n'));
  });

  it('pads nothing where lines would be longer than 120 columns', () => {
    const wide = 'x'.repeat(120);
    expect(markdownTable(['name', wide], [['a', '1']])).toBe(
      [`| name | ${wide} |`, '| --- | --: |', '| a | 1 |'].join('\n'),
    );
  });

  it('has a rule of at least three dashes', () => {
    expect(markdownTable(['a', 'b'], [])).toBe(['|   a |   b |', '| --: | --: |'].join('\n'));
  });
});
