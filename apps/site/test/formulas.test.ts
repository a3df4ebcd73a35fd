import { expect, it } from 'vitest';
import { formula, formulaBlock } from '../src/formulas.ts';

it('letters are italic, words are not, and indices and exponents are set', () => {
  expect(formula('w_c ← w_c − η Σ_j γ_jc h_j')).toBe(
    '<i>w</i><sub><i>c</i></sub> ← <i>w</i><sub><i>c</i></sub> − <i>η</i> Σ<sub><i>j</i></sub> <i>γ</i><sub><i>jc</i></sub> <i>h</i><sub><i>j</i></sub>',
  );
  expect(formula('log Q_new⁻¹ for x < 3')).toBe('log <i>Q</i><sub>new</sub>⁻¹ for <i>x</i> &lt; 3');
  expect(formula('e^(−ν) exp(g)_{F+t}')).toBe('<i>e</i><sup>−<i>ν</i></sup> exp(<i>g</i>)<sub><i>F</i>+<i>t</i></sub>');
});

it('what begins below each other in the text stands in one column', () => {
  const rows = (block: string): string[] => [...block.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row = '']) => row);
  expect(rows(formulaBlock('1  = 2    5\n   = 3\n\n'))).toEqual([
    '<td>1</td><td>= 2<span class="gap"></span>5</td>',
    '<td colspan="1"></td><td>= 3</td>',
  ]);
  expect(rows(formulaBlock('1    2    3'))).toEqual(['<td>1<span class="gap"></span>2<span class="gap"></span>3</td>']);
  // A line that goes on with the sign above it cuts the cell there.
  expect(rows(formulaBlock('10 = 2\n   = 3'))).toEqual([
    '<td class="cut">10</td><td>= 2</td>',
    '<td colspan="1"></td><td>= 3</td>',
  ]);
});
