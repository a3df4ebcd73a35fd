import { describe, expect, it } from 'vitest';
import {
  finite,
  nonNegative,
  positive,
  share,
  shareBelowOne,
  wholeNumber,
  wholeNumbers,
} from '../../src/options/option-values.ts';
import { UsageError } from '../../src/terminal/errors.ts';

describe('option values', () => {
  it.each([
    [wholeNumber('--n', 1), '2_000', 2000],
    [wholeNumber('--n', 1), '2e6', 2_000_000],
    [wholeNumbers('--n', 1), '128,64', [128, 64]],
    [finite('--n'), '-3.5', -3.5],
    [nonNegative('--n'), '0', 0],
    [positive('--n'), '1e-3', 0.001],
    [share('--n'), '1', 1],
    [shareBelowOne('--n'), '0.5', 0.5],
  ])('%# reads %s', (parse, text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each([
    [
      wholeNumber('--n', 1),
      'a whole number of at least 1',
      ['0', '1.5', '', ' ', 'one', '1e400', '9007199254740993', '-1'],
    ],
    [wholeNumbers('--n', 1), 'a whole number of at least 1', ['128,', '128,0', ',']],
    [finite('--n'), 'a number', ['', 'NaN', 'Infinity', '1,5']],
    [nonNegative('--n'), 'a number of at least 0', ['-1', 'x']],
    [positive('--n'), 'a number above 0', ['0', '-1']],
    [share('--n'), 'a number from 0 to 1', ['1.1', '-0.1']],
    [shareBelowOne('--n'), 'a number of at least 0 and less than 1', ['1', '-0.1']],
  ])('%# refuses what is not %s, naming the option and the text', (parse, description, texts) => {
    for (const text of texts) {
      expect(() => parse(text), text).toThrow(UsageError);
      expect(() => parse(text), text).toThrow(
        `--n must be ${description}, got '${text.split(',').length > 1 && description.startsWith('a whole') ? (text.split(',').find((part) => part !== '128') ?? '') : text}'`,
      );
    }
  });
});
