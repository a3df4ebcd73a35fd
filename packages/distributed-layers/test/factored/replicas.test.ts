import { expect, it } from 'vitest';
import type { DriftAnswer } from '../programs/scenarios/replica-drift.ts';
import { playOnThreads } from '../run-program.ts';

it('where it was asked for, replicas that differ are replaced by those of rank 0, and every rank is told', async () => {
  const untouched = await playOnThreads<DriftAnswer>('replicaDrift', 3, { spoil: false });
  expect(untouched.map(({ told, repairs }) => ({ told, repairs }))).toEqual(
    Array.from({ length: 3 }, () => ({ told: [], repairs: 0 })),
  );
  // Spoiled after step 6; the checks are at steps 0, 4 and 8.
  const spoiled = await playOnThreads<DriftAnswer>('replicaDrift', 3, { spoil: true });
  for (const { told, repairs, gram } of spoiled) {
    expect(told).toEqual([{ step: 8, ranks: [1] }]);
    expect(repairs).toBe(1);
    expect(gram).toEqual(spoiled[0]?.gram);
  }
});

it('otherwise replicas that differ are an error on every rank', async () => {
  const refusals = await playOnThreads<{ readonly message: string; readonly steps: number }>('replicaDriftRefused', 3);
  for (const { message, steps } of refusals) {
    expect(message).toBe(
      'distributed layer, step 8: the replicated matrices of rank 1 differ from those of rank 0, though all began with the same',
    );
    expect(steps).toBe(8);
  }
});
