import { createSingleCommunicator } from '@vastmax/collectives';
import { describe, expect, it } from 'vitest';
import { communicatorCases } from './communicator-cases.ts';
import { requireLauncher } from '@vastmax/test-programs';
import { launchers, runOnThreads, runUnderMpi } from './run-program.ts';

describe('one process', () => {
  it.each(communicatorCases)('$id', ({ run }) => {
    using communicator = createSingleCommunicator();
    run(communicator);
  });

  it('is refused after it was closed', () => {
    const communicator = createSingleCommunicator();
    communicator[Symbol.dispose]();
    expect(() => {
      communicator.barrier();
    }).toThrow('barrier: the communicator of rank 0 was closed');
  });
});

describe('threads', () => {
  const ids = communicatorCases.map(({ id }) => id);
  it.each([1, 2, 3])('%i ranks pass every case', async (size) => {
    expect(await runOnThreads('thread-cases', size)).toEqual(Array.from({ length: size }, () => ids));
  });

  it('pass them through windows smaller than the messages', async () => {
    expect(await runOnThreads('thread-cases', 2, undefined, { windowBytes: 1000 })).toEqual([ids, ids]);
  });
});

describe.each(launchers)('$name', (launcher) => {
  it.for([1, 2, 3])('%i ranks pass every case', async (size, { skip }) => {
    requireLauncher(launcher, (reason) => skip(reason));
    const { code, output } = await runUnderMpi(launcher, 'mpi-cases', size);
    const lines = output.trim().split('\n').sort();
    expect({ code, lines }).toEqual({
      code: 0,
      lines: Array.from(
        { length: size },
        (_, rank) => `rank ${rank} of ${size} passed ${communicatorCases.length} cases`,
      ),
    });
  });
});
