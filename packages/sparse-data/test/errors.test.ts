import { describe, expect, it } from 'vitest';
import { SparseDataError, isSparseDataError } from '../src/errors.ts';

describe('SparseDataError', () => {
  it('carries its code and cause', () => {
    const cause = new Error('below');
    const error = new SparseDataError('shape', 'wrong', { cause });
    expect([error.name, error.code, error.message, error.cause]).toEqual(['SparseDataError', 'shape', 'wrong', cause]);
  });

  it('is recognised across copies of the package, and nothing else is', () => {
    const fromAnotherCopy = Object.assign(new Error('wrong'), { [Symbol.for('vastmax.sparse-data.error')]: true });
    expect([new SparseDataError('shape', ''), fromAnotherCopy].map(isSparseDataError)).toEqual([true, true]);
    expect([new Error('shape'), { code: 'shape' }, null, undefined, 'shape'].map(isSparseDataError)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
