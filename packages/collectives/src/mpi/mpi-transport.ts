/**
 * A rank of an MPI job. The collectives are MPI's own, in their non-blocking form, waited for by MPI_Testall in a loop:
 * a blocking call could neither notice that it waits too long nor say for whom. The loop polls for a fraction of a
 * millisecond, then sleeps between polls, so that ranks which share a core let each other run.
 *
 * The exchange of parts is made of point-to-point messages, which is what libraries make MPI_Ialltoallv of. Rejected:
 * MPI_Ialltoallv itself. With Open MPI 4.1.4 the collectives that followed one in which a rank had nothing to send or
 * receive were seen never to end, and a rank without targets in a minibatch is such a rank.
 */
import type { Communicator } from '../communicator.ts';
import { CommunicatorError } from '../communicator-error.ts';
import { createTransportCommunicator } from '../transport-communicator.ts';
import type { PartSizes, Transport } from '../transport.ts';
import { findMpi } from './find-mpi.ts';
import { MpiSession } from './mpi-session.ts';
import { describeAbsence, RollCall } from './roll-call.ts';

export interface MpiCommunicatorOptions {
  /** Path or name of an MPI library instead of the environment variable VASTMAX_MPI_LIBRARY and the search list. */
  readonly library?: string;
  /**
   * How long a rank waits for the others in one call before it ends the job; 600,000 unless given. Longer than anything
   * one rank does alone.
   */
  readonly timeoutMs?: number;
}

/**
 * The communicator of all processes that mpirun or srun started (MPI_COMM_WORLD); of this process alone when nothing
 * started it. Once a process. Whatever ends this process ends the job with it: an uncaught error or an exit code other
 * than 0 within seconds, a call in which others wait for it after timeoutMs and 3 s.
 * @throws CommunicatorError `unavailable` with what to install, or when the launcher and the library do not belong
 * together.
 */
export async function createMpiCommunicator(options: MpiCommunicatorOptions = {}): Promise<Communicator> {
  const { timeoutMs = 600_000 } = options;
  if (!(timeoutMs > 0))
    throw new CommunicatorError('bad-option', `createMpiCommunicator: timeoutMs must be above 0, got ${timeoutMs}`);
  const found = await findMpi({ library: options.library });
  if (found.library === undefined) throw new CommunicatorError('unavailable', `createMpiCommunicator: ${found.reason}`);
  return createTransportCommunicator(new MpiTransport(new MpiSession(found.library), timeoutMs));
}

const pollsBeforeSleep = 300;
const sleepMs = 0.05;
const answerEveryMs = 50;
const rollCallMs = 3000;
const exchangeTag = 7100;

class MpiTransport implements Transport {
  readonly kind = 'mpi';
  readonly description: string;
  readonly rank: number;
  readonly size: number;
  readonly #session: MpiSession;
  readonly #rollCall: RollCall;
  readonly #timeoutMs: number;
  /** Handles of what is on the way: pointers or integers, by family. */
  readonly #requests: BigInt64Array | Int32Array;
  /** The place of each handle, to be written to. */
  readonly #places: readonly ArrayBufferView[];
  #pending = 0;
  readonly #flag = new Int32Array(1);
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  /** An empty array has no address, and some libraries look at it. */
  readonly #one = new Uint8Array(1);
  /** What MPI reads and writes until the call is done, so that nothing of it is collected before. */
  readonly #held: Uint8Array[] = [];
  #calls = 0;

  constructor(session: MpiSession, timeoutMs: number) {
    this.#session = session;
    this.#rollCall = new RollCall(session);
    this.#timeoutMs = timeoutMs;
    this.rank = session.rank;
    this.size = session.size;
    this.description = `${session.library.version}, ${session.size} ${session.size === 1 ? 'rank' : 'ranks'}`;
    const requests =
      session.library.family.handle === 'int' ? new Int32Array(2 * this.size) : new BigInt64Array(2 * this.size);
    this.#requests = requests;
    this.#places = Array.from({ length: requests.length }, (_, i) => requests.subarray(i, i + 1));
  }

  gather(call: string, part: Uint8Array, counts: Int32Array, offsets: Int32Array, out: Uint8Array): void {
    const { functions, family } = this.#session.library;
    // Everybody knows all counts, so everybody leaves out a call that moves nothing.
    if (counts.every((count) => count === 0)) return;
    if (this.size === 1) {
      out.set(part);
      return;
    }
    const from = this.#address(part);
    const to = this.#address(out);
    this.#begin(
      call,
      'MPI_Iallgatherv',
      functions.iallgatherv(
        from,
        part.length,
        family.byte,
        to,
        counts,
        offsets,
        family.byte,
        family.world,
        this.#place(),
      ),
    );
    this.#finish(call);
  }

  exchange(call: string, send: Uint8Array, sending: PartSizes, receive: Uint8Array, receiving: PartSizes): void {
    const { functions, family } = this.#session.library;
    for (let other = 0; other < this.size; other++) {
      const count = receiving.counts[other]!;
      if (other === this.rank || count === 0) continue;
      const to = this.#address(partOf(receive, receiving, other));
      this.#begin(
        call,
        'MPI_Irecv',
        functions.ireceive(to, count, family.byte, other, exchangeTag, family.world, this.#place()),
      );
    }
    for (let step = 1; step < this.size; step++) {
      // Each rank begins with the next one, so that not all send to rank 0 first.
      const other = (this.rank + step) % this.size;
      const count = sending.counts[other]!;
      if (count === 0) continue;
      const from = this.#address(partOf(send, sending, other));
      this.#begin(
        call,
        'MPI_Isend',
        functions.isend(from, count, family.byte, other, exchangeTag, family.world, this.#place()),
      );
    }
    const own = partOf(send, sending, this.rank);
    if (own.length !== receiving.counts[this.rank]) {
      throw new CommunicatorError(
        'mismatch',
        `${call}: rank ${this.rank} expects ${receiving.counts[this.rank]!} bytes from itself and sends ${own.length}`,
        { call, rank: this.rank },
      );
    }
    partOf(receive, receiving, this.rank).set(own);
    this.#finish(call);
  }

  broadcast(call: string, bytes: Uint8Array, root: number): void {
    const { functions, family } = this.#session.library;
    if (bytes.length === 0 || this.size === 1) return;
    this.#begin(
      call,
      'MPI_Ibcast',
      functions.ibcast(this.#address(bytes), bytes.length, family.byte, root, family.world, this.#place()),
    );
    this.#finish(call);
  }

  barrier(call: string): void {
    const { functions, family } = this.#session.library;
    this.#begin(call, 'MPI_Ibarrier', functions.ibarrier(family.world, this.#place()));
    this.#finish(call);
  }

  abort(message: string): never {
    return this.#session.abort(message);
  }

  close(): void {
    this.#session.close();
  }

  #address(bytes: Uint8Array): Uint8Array {
    const addressable = bytes.length === 0 ? this.#one : bytes;
    this.#held.push(addressable);
    return addressable;
  }

  #place(): ArrayBufferView {
    return this.#places[this.#pending++] ?? this.#requests;
  }

  #begin(call: string, name: string, code: unknown): void {
    this.#session.check(name, code, call);
  }

  #finish(call: string): void {
    this.#calls++;
    this.#wait(call);
    this.#pending = 0;
    this.#held.length = 0;
  }

  #isDone(call: string): boolean {
    const { functions, family } = this.#session.library;
    this.#session.check(
      'MPI_Testall',
      functions.testAll(this.#pending, this.#requests, this.#flag, family.statusIgnore),
      call,
    );
    return this.#flag[0] !== 0;
  }

  #wait(call: string): void {
    for (let poll = 0; poll < pollsBeforeSleep; poll++) if (this.#isDone(call)) return;
    const start = performance.now();
    let answered = start;
    while (!this.#isDone(call)) {
      Atomics.wait(this.#sleeper, 0, 0, sleepMs);
      const now = performance.now();
      if (now - answered >= answerEveryMs) {
        this.#rollCall.answer(this.#calls);
        answered = now;
      }
      if (now - start < this.#timeoutMs) continue;
      this.#callTheRoll(call);
      return;
    }
  }

  /** Ask the others where they are, and end the job unless the call ends meanwhile. */
  #callTheRoll(call: string): void {
    const answers = new Map<number, number>();
    this.#rollCall.ask(this.#calls);
    const deadline = performance.now() + rollCallMs;
    while (performance.now() < deadline && answers.size < this.size - 1) {
      if (this.#isDone(call)) return;
      this.#rollCall.answer(this.#calls);
      this.#rollCall.collect(answers);
      Atomics.wait(this.#sleeper, 0, 0, 5);
    }
    this.abort(describeAbsence(this.rank, this.size, this.#calls, call, answers, this.#timeoutMs / 1000));
  }
}

function partOf(bytes: Uint8Array, { counts, offsets }: PartSizes, rank: number): Uint8Array {
  const offset = offsets[rank]!;
  return bytes.subarray(offset, offset + counts[rank]!);
}
