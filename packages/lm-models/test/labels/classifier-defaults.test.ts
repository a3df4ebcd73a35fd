import { describe, expect, it } from 'vitest';
import { classifierTraining } from '../../src/labels/classifier-defaults.ts';

describe('classifierTraining', () => {
  it('lowers the rate of the body with the root of how often a feature occurs, within bounds', () => {
    const bodyRate = (updates: number): number => classifierTraining('full', { updates }).bodyRate;
    expect(bodyRate(2500)).toBe(0.006);
    expect(bodyRate(100)).toBe(0.03);
    expect(bodyRate(0)).toBe(0.05);
    expect(bodyRate(1e9)).toBe(0.001);
  });

  it('has Adagrad for trees and samples, and rates that fit a rule that is given', () => {
    const updates = 100;
    expect(classifierTraining('huffman', { updates })).toMatchObject({ outputRate: 0.1, outputRule: 'adagrad' });
    expect(classifierTraining('full', { updates })).toMatchObject({ outputRate: 8, outputRule: undefined });
    expect(classifierTraining('full', { updates, outputRule: 'adam' })).toMatchObject({
      outputRate: 0.003,
      outputRule: 'adam',
    });
    // Plain SGD has the rate of the registry, not that of Adagrad.
    expect(classifierTraining('huffman', { updates, outputRule: 'sgd' })).toMatchObject({
      outputRate: 1,
      outputRule: 'sgd',
    });
  });

  it('knows losses and layers, and no others', () => {
    expect(classifierTraining('z-loss', { updates: 100 }).outputRate).toBe(1);
    expect(classifierTraining('nce', { updates: 100 })).toMatchObject({ outputRate: 2, outputRule: undefined });
    expect(() => classifierTraining('toString', { updates: 100 })).toThrow(/no loss or output layer/);
  });
});
