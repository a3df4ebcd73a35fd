/**
 * A rank of an MPI job. It calls MPI's non-blocking collectives and polls MPI_Testall until they are complete: a
 * blocking call could neither detect a timeout nor report which rank is missing. The loop polls for a fraction of a
 * millisecond, then sleeps between polls, so that ranks can share a core.
 *
 * Parts are exchanged by point-to-point messages, as inside MPI_Ialltoallv. Rejected: MPI_Ialltoallv itself. With Open
 * MPI 4.1.4, after a call in which one rank had nothing to send or receive, the collectives that followed did not end;
 * a rank without targets in a minibatch is such a rank.
 */
import type { Communicator } from '../communicator.ts';
import { CommunicatorError } from '../communicator-error.ts';
import { createTransportCommunicator, type PartSizes, type Transport } from '../transport-communicator.ts';
import { findMpi } from './find-mpi.ts';
import { MpiSession } from './mpi-session.ts';
import { describeStall, StallDiagnostics } from './stall-diagnostics.ts';

/** Where the MPI library is, and how long a call may wait for other ranks. */
export interface MpiCommunicatorOptions {
  /** Path or name of an MPI library instead of the environment variable VASTMAX_MPI_LIBRARY and the search list. */
  readonly library?: string;
  /**
   * Timeout: how long a rank waits for the others in one call before it aborts the job; 600,000 unless given. It must
   * be longer than any computation of one rank between two calls.
   */
  readonly timeoutMs?: number;
}

/**
 * The communicator of all processes that mpirun or srun started (MPI_COMM_WORLD); without a launcher, of this process
 * alone. May be called once in a process. An error on any rank aborts the job: after an uncaught error or an exit code
 * other than 0 within seconds; if a rank does not reach a call, after timeoutMs and 3 s.
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
const diagnosisMs = 3000;
const exchangeTag = 7100;

class MpiTransport implements Transport {
  readonly kind = 'mpi';
  readonly description: string;
  readonly rank: number;
  readonly size: number;
  readonly #session: MpiSession;
  readonly #diagnostics: StallDiagnostics;
  readonly #timeoutMs: number;
  /** MPI_Request handles of the pending operations: pointers or integers, by family. */
  readonly #requests: BigInt64Array | Int32Array;
  /** A view of each handle, for MPI to write to. */
  readonly #requestViews: readonly ArrayBufferView[];
  #pending = 0;
  readonly #flag = new Int32Array(1);
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  /** Used instead of an empty array, which has no address; some libraries read the address all the same. */
  readonly #oneByte = new Uint8Array(1);
  /** The arrays that MPI reads and writes, kept from the garbage collector until the call is done. */
  readonly #held: Uint8Array[] = [];
  #calls = 0;

  constructor(session: MpiSession, timeoutMs: number) {
    this.#session = session;
    this.#diagnostics = new StallDiagnostics(session);
    this.#timeoutMs = timeoutMs;
    this.rank = session.rank;
    this.size = session.size;
    this.description = `${session.library.version}, ${session.size} ${session.size === 1 ? 'rank' : 'ranks'}`;
    const requests =
      session.library.family.handle === 'int' ? new Int32Array(2 * this.size) : new BigInt64Array(2 * this.size);
    this.#requests = requests;
    this.#requestViews = Array.from({ length: requests.length }, (_, i) => requests.subarray(i, i + 1));
  }

  gather(call: string, part: Uint8Array, counts: Int32Array, offsets: Int32Array, out: Uint8Array): void {
    const { functions, family } = this.#session.library;
    // All ranks know all counts, so all of them skip a call that moves nothing.
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
        this.#nextRequest(),
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
        functions.ireceive(to, count, family.byte, other, exchangeTag, family.world, this.#nextRequest()),
      );
    }
    for (let step = 1; step < this.size; step++) {
      // Each rank starts with its successor, so that not all ranks send to rank 0 first.
      const other = (this.rank + step) % this.size;
      const count = sending.counts[other]!;
      if (count === 0) continue;
      const from = this.#address(partOf(send, sending, other));
      this.#begin(
        call,
        'MPI_Isend',
        functions.isend(from, count, family.byte, other, exchangeTag, family.world, this.#nextRequest()),
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
      functions.ibcast(this.#address(bytes), bytes.length, family.byte, root, family.world, this.#nextRequest()),
    );
    this.#finish(call);
  }

  barrier(call: string): void {
    const { functions, family } = this.#session.library;
    this.#begin(call, 'MPI_Ibarrier', functions.ibarrier(family.world, this.#nextRequest()));
    this.#finish(call);
  }

  abort(message: string): never {
    return this.#session.abort(message);
  }

  close(): void {
    this.#session.close();
  }

  #address(bytes: Uint8Array): Uint8Array {
    const addressable = bytes.length === 0 ? this.#oneByte : bytes;
    this.#held.push(addressable);
    return addressable;
  }

  #nextRequest(): ArrayBufferView {
    return this.#requestViews[this.#pending++] ?? this.#requests;
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
        this.#diagnostics.answer(this.#calls);
        answered = now;
      }
      if (now - start < this.#timeoutMs) continue;
      this.#diagnoseStall(call);
      return;
    }
  }

  /** Asks the other ranks which call they are in, and aborts the job unless this call ends meanwhile. */
  #diagnoseStall(call: string): void {
    const answers = new Map<number, number>();
    this.#diagnostics.ask(this.#calls);
    const deadline = performance.now() + diagnosisMs;
    while (performance.now() < deadline && answers.size < this.size - 1) {
      if (this.#isDone(call)) return;
      this.#diagnostics.answer(this.#calls);
      this.#diagnostics.collect(answers);
      Atomics.wait(this.#sleeper, 0, 0, 5);
    }
    this.abort(describeStall(this.rank, this.size, this.#calls, call, answers, this.#timeoutMs / 1000));
  }
}

function partOf(bytes: Uint8Array, { counts, offsets }: PartSizes, rank: number): Uint8Array {
  const offset = offsets[rank]!;
  return bytes.subarray(offset, offset + counts[rank]!);
}
