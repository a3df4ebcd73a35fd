import { expect, it } from 'vitest';
import { QuietOutput, threadsOfRank } from '../../src/run/rank-job.ts';

it('a quiet rank says nothing until it may speak, and waits for nobody', async () => {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) > 0 } as unknown as NodeJS.WriteStream;
  {
    using quiet = new QuietOutput([stream]);
    expect(quiet).toBeDefined();
    await new Promise((resolve) => {
      stream.write('one', resolve);
    });
  }
  stream.write('two');
  expect(said).toEqual(['two']);
});

it.each([
  [{}, 8, 8],
  [{ OMPI_COMM_WORLD_LOCAL_SIZE: '4' }, 8, 2],
  [{ MPI_LOCALNRANKS: '3' }, 8, 2],
  [{ SLURM_STEP_TASKS_PER_NODE: '16(x4)' }, 8, 1],
])('the cores of a machine are shared out among its ranks: %o', (environment, cores, threads) => {
  expect(threadsOfRank(environment, cores)).toBe(threads);
});
