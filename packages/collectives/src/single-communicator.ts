import type { Communicator } from './communicator.ts';
import { CommunicatorError } from './communicator-error.ts';
import { createTransportCommunicator } from './transport-communicator.ts';

/**
 * A job of one rank: everything is a copy or nothing. Whatever runs over a Communicator runs over this one in one
 * process.
 */
export function createSingleCommunicator(): Communicator {
  return createTransportCommunicator({
    kind: 'single',
    description: 'one process',
    rank: 0,
    size: 1,
    gather: (_call, part, _counts, _offsets, out) => {
      out.set(part);
    },
    exchange: (call, send, sending, receive, receiving) => {
      const [bytes = 0] = sending.counts;
      const [expected = 0] = receiving.counts;
      if (bytes !== expected) {
        throw new CommunicatorError(
          'mismatch',
          `${call}: rank 0 expects ${expected} bytes from rank 0, which sends ${bytes}`,
          { call, rank: 0 },
        );
      }
      receive.set(send.subarray(0, bytes));
    },
    broadcast: () => undefined,
    barrier: () => undefined,
    abort: (message) => {
      throw new CommunicatorError('aborted', `rank 0 of 1 ended the job: ${message}`, { rank: 0 });
    },
    close: () => undefined,
  });
}
