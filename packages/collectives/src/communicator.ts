/**
 * Collective operations between the ranks of one job. As in MPI, all ranks call the same methods in the same order with
 * matching sizes, and a call returns when this rank's part of it is complete. Calls block the thread: a rank that waits
 * for others has nothing else to do, and an f32 allReduce of 300×300 takes less time than one iteration of the event
 * loop.
 */
export type CommunicatorArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/**
 * Counted since creation. Bytes and messages are those of a direct exchange between the ranks; the algorithms of an MPI
 * library may send fewer and larger messages.
 */
export interface Traffic {
  /** Bytes that this rank sent to other ranks. */
  readonly bytesSent: number;
  /** The number of non-empty parts that these bytes were sent in. */
  readonly messagesSent: number;
  /** Number of collective calls. */
  readonly calls: number;
  /** Time spent in collective calls, waiting included. */
  readonly milliseconds: number;
}

/** One rank's connection to all ranks of a job. All ranks make the same calls in the same order. */
export interface Communicator extends Disposable {
  /** `single`, `threads` or `mpi`. */
  readonly kind: string;
  /** For messages and logs: `Open MPI v4.1.4, 2 ranks`. */
  readonly description: string;
  /** From 0 to size − 1. */
  readonly rank: number;
  readonly size: number;
  readonly traffic: Traffic;

  /**
   * The sum over the ranks, in place, added in the order of the ranks in f64: bitwise the same numbers on every rank
   * and in every run. For n numbers a rank sends 2n(p − 1)/p of them; n(p − 1) up to 4 KiB, and for two ranks.
   */
  allReduce(values: Float32Array | Float64Array): void;

  /**
   * Concatenates the parts of all ranks, in the order of the ranks.
   * @param counts how many numbers each rank has; size long, the same on every rank; part.length is counts[rank].
   */
  allGather<Values extends CommunicatorArray>(part: Values, counts: Int32Array, out: Values): void;

  /**
   * Sends a part to each rank and receives one from each. Parts are stored one after the other in the order of the
   * ranks; the arrays may be longer than needed.
   * @param sendCounts how many numbers go to each rank.
   * @param receiveCounts how many come from each rank: rank r's sendCounts for this rank.
   */
  allToAll<Values extends CommunicatorArray>(
    send: Values,
    sendCounts: Int32Array,
    receive: Values,
    receiveCounts: Int32Array,
  ): void;

  /** Copies the values of rank `root` to every rank, in place. */
  broadcast(values: CommunicatorArray, root: number): void;

  /** Returns when every rank has called it. */
  barrier(): void;

  /** Ends the whole job, all ranks, with a message that names this rank. Does not return. */
  abort(message: string): never;
}

/**
 * A JSON value of each rank, in the order of the ranks, on every rank: for reports and checkpoints, where few bytes
 * matter. A collective.
 */
export function gatherJson<Value>(communicator: Communicator, value: Value): Value[] {
  const own = new TextEncoder().encode(JSON.stringify(value));
  const lengths = new Int32Array(communicator.size);
  communicator.allGather(Int32Array.of(own.length), new Int32Array(communicator.size).fill(1), lengths);
  const all = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  communicator.allGather(own, lengths, all);
  let place = 0;
  return Array.from(
    lengths,
    (length) => JSON.parse(new TextDecoder().decode(all.subarray(place, (place += length)))) as Value,
  );
}
