/**
 * Finds which rank is missing when a collective does not end. A rank whose timeout has passed asks all others which
 * call they are in. A rank that also waits answers from its own polling loop; a rank that computes forever, or has
 * ended, does not answer. These are small point-to-point messages besides the collectives, sent only when a call
 * stalls.
 */
import type { MpiSession } from './mpi-session.ts';

const askTag = 7101;
const answerTag = 7102;

export class StallDiagnostics {
  readonly #session: MpiSession;
  readonly #flag = new Int32Array(1);
  readonly #word = new Int32Array(1);
  /** Pending messages and their requests, kept from the garbage collector; MPI reads them later. */
  readonly #pending: unknown[] = [];

  constructor(session: MpiSession) {
    this.#session = session;
  }

  /** Answers the ranks that ask. @param call the number of the call this rank is in. */
  answer(call: number): void {
    this.#eachOther((rank) => {
      if (this.#receive(rank, askTag) !== undefined) this.#send(rank, answerTag, call);
    });
  }

  ask(call: number): void {
    this.#eachOther((rank) => {
      this.#send(rank, askTag, call);
    });
  }

  /** Stores which call each rank that has answered since `ask` is in. */
  collect(into: Map<number, number>): void {
    this.#eachOther((rank) => {
      const call = this.#receive(rank, answerTag);
      if (call !== undefined) into.set(rank, call);
    });
  }

  #eachOther(visit: (rank: number) => void): void {
    for (let rank = 0; rank < this.#session.size; rank++) if (rank !== this.#session.rank) visit(rank);
  }

  #send(rank: number, tag: number, call: number): void {
    const { functions, family } = this.#session.library;
    const message = Int32Array.of(call);
    const request = new BigInt64Array(1);
    this.#pending.push(message, request);
    this.#session.check(
      'MPI_Isend',
      functions.isend(message, 4, family.byte, rank, tag, family.world, request),
      'stall diagnostics',
    );
  }

  #receive(rank: number, tag: number): number | undefined {
    const { functions, family } = this.#session.library;
    this.#session.check(
      'MPI_Iprobe',
      functions.iprobe(rank, tag, family.world, this.#flag, family.statusIgnore),
      'stall diagnostics',
    );
    if (this.#flag[0] === 0) return undefined;
    this.#session.check(
      'MPI_Recv',
      functions.receive(this.#word, 4, family.byte, rank, tag, family.world, family.statusIgnore),
      'stall diagnostics',
    );
    return this.#word[0]!;
  }
}

/** The answers as an error message. */
export function describeStall(
  rank: number,
  size: number,
  call: number,
  name: string,
  answers: ReadonlyMap<number, number>,
  seconds: number,
): string {
  const missing: number[] = [];
  const elsewhere: string[] = [];
  for (let other = 0; other < size; other++) {
    if (other === rank) continue;
    const place = answers.get(other);
    if (place === undefined) missing.push(other);
    else if (place !== call) elsewhere.push(`rank ${other} is in call ${place}`);
  }
  if (missing.length > 0) {
    return `rank ${missing.join(', ')} did not reach ${name} (call ${call}) within ${seconds} s: it hangs, or computes for longer than timeoutMs`;
  }
  if (elsewhere.length > 0)
    return `${name} (call ${call}) does not end after ${seconds} s: ${elsewhere.join(', ')}; all ranks must make the same calls`;
  return `${name} (call ${call}) does not end after ${seconds} s though all ranks are in it: they called it with different sizes, or the network is stuck`;
}
