/** A rank that leaves its duty while the others wait for it. */
import type { Communicator } from '@vastmax/collectives';

export interface FailureRequest {
  readonly how: 'throw' | 'exit' | 'exit-0' | 'kill' | 'hang' | 'abort' | 'other-call' | 'other-size';
  readonly rank: number;
}

export function failures(communicator: Communicator, { how, rank }: FailureRequest): number {
  const values = Float64Array.of(1);
  communicator.allReduce(values);
  if (communicator.rank === rank) misbehave(communicator, how);
  communicator.allReduce(values);
  return values[0] ?? 0;
}

function misbehave(communicator: Communicator, how: FailureRequest['how']): void {
  switch (how) {
    case 'throw':
      throw new RangeError('the data ran out');
    case 'exit':
      return process.exit(3);
    case 'exit-0':
      return process.exit(0);
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'hang':
      for (;;) continue;
    case 'abort':
      return communicator.abort('the disk is full');
    case 'other-call':
      communicator.barrier();
      return;
    case 'other-size':
      communicator.allReduce(new Float64Array(3));
  }
}
