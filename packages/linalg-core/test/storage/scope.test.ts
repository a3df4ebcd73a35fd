import { describe, expect, it } from 'vitest';
import { createPlainBackend, Scope } from '../../src/index.ts';

describe('Scope', () => {
  it('disposes what it made and what it took over, last first', () => {
    const backend = createPlainBackend();
    const order: string[] = [];
    {
      using scope = new Scope(backend);
      scope.matrix(2, 2);
      scope.table(3, 1);
      scope.indices(4);
      for (const name of ['first', 'second']) scope.own({ [Symbol.dispose]: () => order.push(name) });
      expect(backend.memory()).toEqual({ matrices: 1, tables: 1, indices: 1, bytes: 16 + 12 + 16 });
    }
    expect(order).toEqual(['second', 'first']);
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });

  it('disposes when its block throws, and across await', async () => {
    const backend = createPlainBackend();
    const body = async (): Promise<never> => {
      using scope = new Scope(backend);
      scope.matrix(5, 5);
      await Promise.resolve();
      expect(backend.memory().matrices).toBe(1);
      throw new Error('on purpose');
    };
    await expect(body()).rejects.toThrow('on purpose');
    expect(backend.memory().matrices).toBe(0);
  });

  it('can be disposed early, and used again', () => {
    const backend = createPlainBackend();
    const scope = new Scope(backend);
    const matrix = scope.matrix(1, 1);
    scope[Symbol.dispose]();
    expect(matrix.disposed).toBe(true);
    scope.matrix(1, 1);
    scope[Symbol.dispose]();
    expect(backend.memory().matrices).toBe(0);
  });
});
