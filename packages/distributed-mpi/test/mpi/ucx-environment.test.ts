import { expect, it } from 'vitest';
import { probeMpi } from '@vastmax/distributed-mpi';
import { prepareUcx } from '../../src/mpi/ucx-environment.ts';

it('takes the hooks and the signals from UCX, unless the user wants them', () => {
  const environment: Record<string, string | undefined> = { UCX_MEM_EVENTS: 'yes' };
  prepareUcx(environment);
  expect(environment).toEqual({ UCX_MEM_EVENTS: 'yes', UCX_HANDLE_ERRORS: 'none' });
});

it('has done so when a library is loaded', async () => {
  await probeMpi();
  expect(process.env['UCX_MEM_EVENTS']).toBe('no');
});
