/**
 * A Communicator over any Transport. It does what all transports have in common: it checks the arguments, counts the
 * traffic and computes sums (rank-order-sum.ts). Sums are not left to the transport, because all ranks must get the
 * same bits. Rejected: MPI_Allreduce, whose standard recommends but does not require the same bits on all ranks, and
 * whose order of additions depends on the library, the size and the number of ranks.
 */
import type { Communicator, CommunicatorArray, Traffic } from './communicator.ts';
import { CommunicatorError } from './communicator-error.ts';
import { RankOrderSum } from './rank-order-sum.ts';

/** How bytes move between the ranks: the part of a communicator that threads and MPI implement. */
export interface Transport {
  readonly kind: string;
  readonly description: string;
  readonly rank: number;
  readonly size: number;
  /** @param counts bytes of each rank. @param offsets where each rank's part begins in `out`. */
  gather(call: string, part: Uint8Array, counts: Int32Array, offsets: Int32Array, out: Uint8Array): void;
  exchange(call: string, send: Uint8Array, sending: PartSizes, receive: Uint8Array, receiving: PartSizes): void;
  broadcast(call: string, bytes: Uint8Array, root: number): void;
  barrier(call: string): void;
  abort(message: string): never;
  close(): void;
}

/** In bytes; one entry for each rank. */
export interface PartSizes {
  readonly counts: Int32Array;
  readonly offsets: Int32Array;
}

export function createTransportCommunicator(transport: Transport): Communicator {
  return new TransportCommunicator(transport);
}

class TransportCommunicator implements Communicator {
  readonly kind: string;
  readonly description: string;
  readonly rank: number;
  readonly size: number;
  readonly #transport: Transport;
  readonly #sum: RankOrderSum;
  readonly #sending: PartSizes;
  readonly #receiving: PartSizes;
  readonly #traffic = { bytesSent: 0, messagesSent: 0, calls: 0, milliseconds: 0 };
  #closed = false;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.kind = transport.kind;
    this.description = transport.description;
    this.rank = transport.rank;
    this.size = transport.size;
    const sizes = (): PartSizes => ({
      counts: new Int32Array(transport.size),
      offsets: new Int32Array(transport.size),
    });
    this.#sending = sizes();
    this.#receiving = sizes();
    this.#sum = new RankOrderSum(this.rank, this.size, {
      gather: (part, counts, out) => {
        this.#gather('allReduce', part, counts, out);
      },
      exchange: (send, sendCounts, receive, receiveCounts) => {
        this.#exchange('allReduce', send, sendCounts, receive, receiveCounts);
      },
    });
  }

  get traffic(): Traffic {
    return { ...this.#traffic };
  }

  allReduce(values: Float32Array | Float64Array): void {
    this.#timed('allReduce', () => {
      this.#sum.add(values);
    });
  }

  allGather<Values extends CommunicatorArray>(part: Values, counts: Int32Array, out: Values): void {
    this.#timed('allGather', () => {
      this.#checkCounts('allGather', 'counts', counts);
      if (part.length !== counts[this.rank]) {
        throw new CommunicatorError(
          'shape',
          `allGather: the part of rank ${this.rank} has ${part.length} numbers, counts says ${counts[this.rank]!}`,
          { call: 'allGather' },
        );
      }
      this.#checkLength('allGather', 'out', out, counts);
      this.#gather('allGather', part, counts, out);
    });
  }

  allToAll<Values extends CommunicatorArray>(
    send: Values,
    sendCounts: Int32Array,
    receive: Values,
    receiveCounts: Int32Array,
  ): void {
    this.#timed('allToAll', () => {
      this.#checkCounts('allToAll', 'sendCounts', sendCounts);
      this.#checkCounts('allToAll', 'receiveCounts', receiveCounts);
      this.#checkLength('allToAll', 'send', send, sendCounts);
      this.#checkLength('allToAll', 'receive', receive, receiveCounts);
      this.#exchange('allToAll', send, sendCounts, receive, receiveCounts);
    });
  }

  broadcast(values: CommunicatorArray, root: number): void {
    this.#timed('broadcast', () => {
      if (!Number.isSafeInteger(root) || root < 0 || root >= this.size) {
        throw new CommunicatorError('shape', `broadcast: root is ${root}, the ranks are 0 to ${this.size - 1}`, {
          call: 'broadcast',
        });
      }
      if (root === this.rank && values.length > 0) this.#count(values.byteLength * (this.size - 1), this.size - 1);
      this.#transport.broadcast('broadcast', bytesOf(values), root);
    });
  }

  barrier(): void {
    this.#timed('barrier', () => {
      this.#transport.barrier('barrier');
    });
  }

  abort(message: string): never {
    return this.#transport.abort(message);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transport.close();
  }

  #gather(call: string, part: CommunicatorArray, counts: Int32Array, out: CommunicatorArray): void {
    const { counts: bytes, offsets } = this.#receiving;
    computePartSizes(counts, out.BYTES_PER_ELEMENT, bytes, offsets);
    if (part.length > 0) this.#count(part.byteLength * (this.size - 1), this.size - 1);
    this.#transport.gather(call, bytesOf(part), bytes, offsets, bytesOf(out));
  }

  #exchange(
    call: string,
    send: CommunicatorArray,
    sendCounts: Int32Array,
    receive: CommunicatorArray,
    receiveCounts: Int32Array,
  ): void {
    computePartSizes(sendCounts, send.BYTES_PER_ELEMENT, this.#sending.counts, this.#sending.offsets);
    computePartSizes(receiveCounts, receive.BYTES_PER_ELEMENT, this.#receiving.counts, this.#receiving.offsets);
    for (let other = 0; other < this.size; other++) {
      const bytes = this.#sending.counts[other]!;
      if (other !== this.rank && bytes > 0) this.#count(bytes, 1);
    }
    this.#transport.exchange(call, bytesOf(send), this.#sending, bytesOf(receive), this.#receiving);
  }

  #timed(call: string, action: () => void): void {
    if (this.#closed)
      throw new CommunicatorError('closed', `${call}: the communicator of rank ${this.rank} was closed`, {
        call,
        rank: this.rank,
      });
    const start = performance.now();
    this.#traffic.calls++;
    action();
    this.#traffic.milliseconds += performance.now() - start;
  }

  #count(bytes: number, messages: number): void {
    this.#traffic.bytesSent += bytes;
    this.#traffic.messagesSent += messages;
  }

  #checkCounts(call: string, name: string, counts: Int32Array): void {
    if (counts.length === this.size && counts.every((count) => count >= 0)) return;
    throw new CommunicatorError(
      'shape',
      `${call}: ${name} must be ${this.size} numbers of at least 0, one a rank, got ${counts.length}: ${counts.join(', ')}`,
      { call },
    );
  }

  #checkLength(call: string, name: string, values: CommunicatorArray, counts: Int32Array): void {
    let needed = 0;
    for (const count of counts) needed += count;
    if (needed > values.length)
      throw new CommunicatorError(
        'shape',
        `${call}: ${name} has ${values.length} numbers, the counts add up to ${needed}`,
        { call },
      );
    const maxBytes = 2 ** 31 - 1;
    if (needed * values.BYTES_PER_ELEMENT > maxBytes) {
      throw new CommunicatorError(
        'shape',
        `${call}: ${name} is ${needed * values.BYTES_PER_ELEMENT} bytes, one call moves at most ${maxBytes}; split it over several calls`,
        { call },
      );
    }
  }
}

function bytesOf(values: CommunicatorArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Converts counts of numbers to counts and offsets in bytes. */
function computePartSizes(counts: Int32Array, bytesPerNumber: number, bytes: Int32Array, offsets: Int32Array): void {
  let offset = 0;
  for (let rank = 0; rank < counts.length; rank++) {
    bytes[rank] = counts[rank]! * bytesPerNumber;
    offsets[rank] = offset;
    offset += bytes[rank]!;
  }
}
