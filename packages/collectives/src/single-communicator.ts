/**
 * A job of one rank: every collective is a copy or does nothing. Arguments are checked as with several ranks, so that a
 * program that runs in one process also runs on many.
 */
import type { Communicator, CommunicatorArray, Traffic } from './communicator.ts';
import { CommunicatorError } from './communicator-error.ts';

/**
 * A communicator of one rank, for programs over a Communicator that run in one process. Does not wait, sends nothing.
 */
export function createSingleCommunicator(): Communicator {
  return new SingleCommunicator();
}

class SingleCommunicator implements Communicator {
  readonly kind = 'single';
  readonly description = 'one process';
  readonly rank = 0;
  readonly size = 1;
  #calls = 0;
  #closed = false;

  get traffic(): Traffic {
    return { bytesSent: 0, messagesSent: 0, calls: this.#calls, milliseconds: 0 };
  }

  allReduce(): void {
    this.#begin('allReduce');
  }

  allGather<Values extends CommunicatorArray>(part: Values, counts: Int32Array, out: Values): void {
    this.#begin('allGather');
    const count = onlyCount('allGather', 'counts', counts);
    if (part.length !== count)
      throw new CommunicatorError(
        'shape',
        `allGather: the part of rank 0 has ${part.length} numbers, counts says ${count}`,
        { call: 'allGather' },
      );
    checkLength('allGather', 'out', out, count);
    out.set(part);
  }

  allToAll<Values extends CommunicatorArray>(
    send: Values,
    sendCounts: Int32Array,
    receive: Values,
    receiveCounts: Int32Array,
  ): void {
    this.#begin('allToAll');
    const count = onlyCount('allToAll', 'sendCounts', sendCounts);
    const expected = onlyCount('allToAll', 'receiveCounts', receiveCounts);
    checkLength('allToAll', 'send', send, count);
    checkLength('allToAll', 'receive', receive, expected);
    if (count !== expected)
      throw new CommunicatorError(
        'mismatch',
        `allToAll: rank 0 expects ${expected} numbers from rank 0, which sends ${count}`,
        { call: 'allToAll', rank: 0 },
      );
    receive.set(send.subarray(0, count));
  }

  broadcast(_values: CommunicatorArray, root: number): void {
    this.#begin('broadcast');
    if (root !== 0)
      throw new CommunicatorError('shape', `broadcast: root is ${root}, the ranks are 0 to 0`, { call: 'broadcast' });
  }

  barrier(): void {
    this.#begin('barrier');
  }

  abort(message: string): never {
    throw new CommunicatorError('aborted', `rank 0 of 1 ended the job: ${message}`, { rank: 0 });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
  }

  #begin(call: string): void {
    if (this.#closed)
      throw new CommunicatorError('closed', `${call}: the communicator of rank 0 was closed`, { call, rank: 0 });
    this.#calls++;
  }
}

function onlyCount(call: string, name: string, counts: Int32Array): number {
  const [count = -1] = counts;
  if (counts.length === 1 && count >= 0) return count;
  throw new CommunicatorError(
    'shape',
    `${call}: ${name} must be 1 numbers of at least 0, one a rank, got ${counts.length}: ${counts.join(', ')}`,
    { call },
  );
}

function checkLength(call: string, name: string, values: CommunicatorArray, needed: number): void {
  if (needed <= values.length) return;
  throw new CommunicatorError(
    'shape',
    `${call}: ${name} has ${values.length} numbers, the counts add up to ${needed}`,
    { call },
  );
}
