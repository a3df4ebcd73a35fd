import { isOutputLayerError, OutputLayerError } from '@vastmax/output-layer';
import { describe, expect, it } from 'vitest';

describe('OutputLayerError', () => {
  it('is recognised across copies of the package by its name and code', () => {
    expect(isOutputLayerError(new OutputLayerError('shape', 'no'))).toBe(true);
    expect(isOutputLayerError(Object.assign(new Error('no'), { name: 'OutputLayerError', code: 'shape' }))).toBe(true);
    expect(isOutputLayerError(new Error('no'))).toBe(false);
    expect(isOutputLayerError({ name: 'OutputLayerError', code: 'shape' })).toBe(false);
  });

  it('keeps its cause', () => {
    const cause = new Error('why');
    expect(new OutputLayerError('diverged', 'no', { cause }).cause).toBe(cause);
  });
});
