/**
 * A Communicator over any Transport: what is the same for all of them. Arguments are checked here, traffic is counted
 * here, and the sum is made here, because a sum that is to be bitwise the same everywhere must be added in one order:
 * each rank adds up its share of the numbers in the order of the ranks and hands the result round. Rejected:
 * MPI_Allreduce, whose standard advises but does not demand the same bits on all ranks, and whose order changes with
 * the library, the size and the number of ranks; reduce and broadcast, which sends as much and leaves the adding to one
 * rank.
 */
import { bytesOf, type Communicator, type CommunicatorArray, type Traffic } from './communicator.ts';
import { CommunicatorError } from './communicator-error.ts';
import { RankOrderSum } from './rank-order-sum.ts';
import type { PartSizes, Transport } from './transport.ts';

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
      this.#checkRoom('allGather', 'out', out, counts);
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
      this.#checkRoom('allToAll', 'send', send, sendCounts);
      this.#checkRoom('allToAll', 'receive', receive, receiveCounts);
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
    layOut(counts, out.BYTES_PER_ELEMENT, bytes, offsets);
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
    layOut(sendCounts, send.BYTES_PER_ELEMENT, this.#sending.counts, this.#sending.offsets);
    layOut(receiveCounts, receive.BYTES_PER_ELEMENT, this.#receiving.counts, this.#receiving.offsets);
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

  #checkRoom(call: string, name: string, values: CommunicatorArray, counts: Int32Array): void {
    let needed = 0;
    for (const count of counts) needed += count;
    if (needed > values.length)
      throw new CommunicatorError(
        'shape',
        `${call}: ${name} has room for ${values.length} numbers, the counts add up to ${needed}`,
        { call },
      );
    const most = 2 ** 31 - 1;
    if (needed * values.BYTES_PER_ELEMENT > most) {
      throw new CommunicatorError(
        'shape',
        `${call}: ${name} is ${needed * values.BYTES_PER_ELEMENT} bytes, one call moves at most ${most}; move it in several`,
        { call },
      );
    }
  }
}

function layOut(counts: Int32Array, bytesPerNumber: number, bytes: Int32Array, offsets: Int32Array): void {
  let offset = 0;
  for (let rank = 0; rank < counts.length; rank++) {
    bytes[rank] = counts[rank]! * bytesPerNumber;
    offsets[rank] = offset;
    offset += bytes[rank]!;
  }
}
