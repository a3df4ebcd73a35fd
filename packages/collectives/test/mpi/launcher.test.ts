import { expect, it } from 'vitest';
import { requireLauncher } from '@vastmax/test-programs';
import { launchers, runUnderMpi } from '../run-program.ts';

/** The other family's library: every process would be a job of its own, each training by itself. */
it.for([
  { launcher: launchers[0], library: 'libmpich.so.12' },
  { launcher: launchers[1], library: 'libmpi.so.40' },
])(
  "a library that is not the launcher's is refused: $library under $launcher.name",
  async ({ launcher, library }, { skip }) => {
    for (const one of launchers) requireLauncher(one, (reason) => skip(reason));
    if (launcher === undefined) throw new Error('there are two launchers');
    const before = process.env['VASTMAX_MPI_LIBRARY'];
    process.env['VASTMAX_MPI_LIBRARY'] = library;
    try {
      const { code, output } = await runUnderMpi(launcher, 'mpi-cases', 2);
      expect(code).not.toBe(0);
      expect(output).toMatch(
        /says that 2 processes were started, .* sees 1: launcher and library belong to different MPIs/,
      );
    } finally {
      if (before === undefined) delete process.env['VASTMAX_MPI_LIBRARY'];
      else process.env['VASTMAX_MPI_LIBRARY'] = before;
    }
  },
);
