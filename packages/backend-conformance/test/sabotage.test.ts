import { createPlainBackend, type Backend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { checkBackend, conformanceCases } from '../src/index.ts';
import { sabotages } from './sabotages.ts';

describe('sabotaged backends', () => {
  it('are many, each with a name of its own', () => {
    expect(sabotages.length).toBeGreaterThanOrEqual(15);
    expect(new Set(sabotages.map(({ name }) => name)).size).toBe(sabotages.length);
  });

  for (const precision of ['f32', 'f64'] as const) {
    for (const { name, caughtBy, apply } of sabotages) {
      it(`${precision}: ${name}`, async () => {
        const cases = conformanceCases.filter(({ id }) => caughtBy.includes(id));
        expect(cases.map(({ id }) => id).sort()).toEqual([...caughtBy].sort());
        const create = (): Backend => {
          const backend = createPlainBackend({ precision });
          apply(backend);
          return backend;
        };
        const { status, outcomes } = await checkBackend({ name, create }, { cases });
        expect(status).toBe('failed');
        expect(outcomes.filter((outcome) => outcome.status !== 'fail').map(({ id }) => id)).toEqual([]);
        for (const { reason } of outcomes) expect(reason?.length).toBeGreaterThan(10);
      });
    }
  }
});
