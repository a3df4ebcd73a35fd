import { describe, expect, it } from 'vitest';
import { scientific } from '../../src/reporting/numbers.ts';

describe('scientific', () => {
  it('keeps two digits', () => {
    expect([0, 3.44e-14, 1].map(scientific)).toEqual(['0', '3.4e-14', '1.0e+0']);
  });
});
