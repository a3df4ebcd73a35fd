import { expect, it } from 'vitest';
import { probeMpi } from '@vastmax/collectives';
import { prepareEnvironment } from '../../src/mpi/library-environment.ts';

it('takes the hooks and the signals from UCX and the spinning from Open MPI, unless the user wants them', () => {
  const environment: Record<string, string | undefined> = { UCX_MEM_EVENTS: 'yes' };
  prepareEnvironment(environment);
  expect(environment).toEqual({ OMPI_MCA_mpi_yield_when_idle: '1', UCX_MEM_EVENTS: 'yes', UCX_HANDLE_ERRORS: 'none' });
});

it('has done so when a library is loaded', async () => {
  await probeMpi();
  expect(process.env['UCX_MEM_EVENTS']).toBe('no');
});
