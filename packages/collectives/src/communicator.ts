/**
 * What the ranks of one job say to each other. Every method is a collective: all ranks call the same methods in the
 * same order with sizes that agree, as in MPI, and the call returns when this rank's part is done. Calls block the
 * thread: a rank that waits for others has nothing else to do, and a blocked call costs no turn of the event loop (an
 * f32 allReduce of 300×300 takes less than the turn).
 */
export type CommunicatorArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/**
 * Counted since creation. Bytes and messages are those of a direct exchange; a library's own algorithm may send fewer
 * and larger messages.
 */
export interface Traffic {
  /** What this rank handed over for other ranks. */
  readonly bytesSent: number;
  /** Parts of at least one byte that it handed over. */
  readonly messagesSent: number;
  /** Collective calls. */
  readonly calls: number;
  /** Time spent in them, waiting included. */
  readonly milliseconds: number;
}

export interface Communicator extends Disposable {
  /** `single`, `threads` or `mpi`. */
  readonly kind: string;
  /** For people: `Open MPI v4.1.4, 2 ranks`. */
  readonly description: string;
  /** From 0 to size − 1. */
  readonly rank: number;
  readonly size: number;
  readonly traffic: Traffic;

  /**
   * The sum over the ranks, in place, added in the order of the ranks in f64: bitwise the same numbers on every rank,
   * and from run to run. n numbers cost 2n(p − 1)/p sent a rank; up to 4 KiB, and for two ranks, n(p − 1).
   */
  allReduce(values: Float32Array | Float64Array): void;

  /**
   * Everybody's part, in the order of the ranks.
   * @param counts numbers of each rank, size long, the same everywhere; part.length is counts[rank].
   */
  allGather<Values extends CommunicatorArray>(part: Values, counts: Int32Array, out: Values): void;

  /**
   * A part for each rank, and one from each. Parts lie one after the other in the order of the ranks; the arrays may be
   * longer than needed.
   * @param sendCounts numbers for each rank.
   * @param receiveCounts numbers from each rank: rank r's sendCounts for this rank.
   */
  allToAll<Values extends CommunicatorArray>(
    send: Values,
    sendCounts: Int32Array,
    receive: Values,
    receiveCounts: Int32Array,
  ): void;

  /** The values of `root` everywhere, in place. */
  broadcast(values: CommunicatorArray, root: number): void;

  /** Returns when every rank has called it. */
  barrier(): void;

  /** End the whole job, all ranks, with a message that names this rank. Does not return. */
  abort(message: string): never;
}

/** The size of one number, for counting. */
export function bytesOf(values: CommunicatorArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
