import { describe, expect, it } from 'vitest';
import { markdownTable } from '../../src/reporting/markdown-table.ts';
import { scientific } from '../../src/reporting/numbers.ts';

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
    ).toBe(['| name  |      x |', '|-------|-------:|', '| a     | 1.5e-3 |', '| bcdef |     12 |'].join('\n'));
  });

  it('has a rule of at least three dashes', () => {
    expect(markdownTable(['a', 'b'], [])).toBe(['|   a |   b |', '|----:|----:|'].join('\n'));
  });
});

describe('scientific', () => {
  it('keeps two digits', () => {
    expect([0, 3.44e-14, 1].map(scientific)).toEqual(['0', '3.4e-14', '1.0e+0']);
  });
});
