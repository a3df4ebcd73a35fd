import { expect, it } from 'vitest';
import { playOnThreads } from '../run-program.ts';

it.each([1, 2, 3])('a table over %i ranks is the table', async (size) => {
  for (const difference of await playOnThreads<number>('tables', size)) expect(difference).toBeLessThan(1e-12);
});
