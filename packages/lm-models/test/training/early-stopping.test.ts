import { EarlyStopping } from '@vastmax/lm-models';
import { describe, expect, it } from 'vitest';

describe('EarlyStopping', () => {
  it('stops after so many measurements without improvement, of a loss', () => {
    const stopping = new EarlyStopping({ patience: 2 });
    expect(stopping.best).toBeUndefined();
    expect([5, 4, 4, 3.9, 4, 3.95].map((loss) => stopping.add(loss))).toEqual([
      'improved',
      'improved',
      'waiting',
      'improved',
      'waiting',
      'stop',
    ]);
    expect(stopping.best).toBe(3.9);
  });

  it('wants accuracies to rise by the least change, and takes NaN for none', () => {
    const stopping = new EarlyStopping({ patience: 3, better: 'higher', minimumChange: 0.01 });
    expect([Number.NaN, 0.5, 0.505, 0.511, Number.NaN, 0.4, 0.52].map((value) => stopping.add(value))).toEqual([
      'waiting',
      'improved',
      'waiting',
      'improved',
      'waiting',
      'waiting',
      'stop',
    ]);
  });

  it('goes on from its state', () => {
    const stopping = new EarlyStopping({ patience: 2 });
    stopping.add(1);
    stopping.add(2);
    const resumed = new EarlyStopping({ patience: 2 });
    resumed.restore(JSON.parse(JSON.stringify(stopping.state())) as ReturnType<EarlyStopping['state']>);
    expect([resumed.best, resumed.add(1)]).toEqual([1, 'stop']);
    const fresh = new EarlyStopping({ patience: 2 });
    fresh.restore(new EarlyStopping({ patience: 2 }).state());
    expect(fresh.add(7)).toBe('improved');
    expect(() => {
      fresh.restore({ best: 'low', withoutImprovement: 0 });
    }).toThrow('the state is best low and withoutImprovement 0; a number or null, and a whole number, are needed');
    expect(() => {
      fresh.restore({ best: 1 });
    }).toThrow('withoutImprovement undefined');
  });

  it.each([
    [{ patience: 0 }, 'patience must be a whole number of at least 1, got 0'],
    [{ patience: 1, minimumChange: -1 }, 'minimumChange must be at least 0, got -1'],
  ])('refuses %j', (options, message) => {
    expect(() => new EarlyStopping(options)).toThrow(`early stopping: ${message}`);
  });
});
