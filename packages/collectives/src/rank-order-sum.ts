/**
 * The sum over the ranks, added in the order of the ranks in f64 and rounded once: bitwise the same on every rank,
 * whichever rank added.
 *
 *     up to 4 KiB, or two ranks   all-gather, every rank adds everything              n(p − 1) sent, one exchange
 *     more                        reduce-scatter, then all-gather (Rabenseifner)   2n(p − 1)/p sent, two exchanges
 *
 * Rejected: reduce and broadcast, which sends the same amount but lets one rank do all additions.
 */
type Numbers = Float32Array | Float64Array;

/** The operations of a transport that the sum needs. */
export interface SumTransfers {
  gather(part: Numbers, counts: Int32Array, out: Numbers): void;
  exchange(send: Numbers, sendCounts: Int32Array, receive: Numbers, receiveCounts: Int32Array): void;
}

const maxGatheredBytes = 4096;

export class RankOrderSum {
  readonly #rank: number;
  readonly #size: number;
  readonly #transfers: SumTransfers;
  readonly #shares: Int32Array;
  readonly #own: Int32Array;
  #scratch32: Float32Array = new Float32Array(0);
  #scratch64: Float64Array = new Float64Array(0);

  constructor(rank: number, size: number, transfers: SumTransfers) {
    this.#rank = rank;
    this.#size = size;
    this.#transfers = transfers;
    this.#shares = new Int32Array(size);
    this.#own = new Int32Array(size);
  }

  /** In place. */
  add(values: Numbers): void {
    const size = this.#size;
    if (size === 1) return;
    const { length } = values;
    if (size === 2 || values.byteLength <= maxGatheredBytes) {
      this.#own.fill(length);
      const all = this.#scratch(values, length * size);
      this.#transfers.gather(values, this.#own, all);
      addParts(all, length, size, values);
      return;
    }
    for (let rank = 0, end = 0; rank < size; rank++) {
      const next = Math.floor((length * (rank + 1)) / size);
      this.#shares[rank] = next - end;
      end = next;
    }
    const share = this.#shares[this.#rank]!;
    this.#own.fill(share);
    const parts = this.#scratch(values, share * size);
    this.#transfers.exchange(values, this.#shares, parts, this.#own);
    addParts(parts, share, size, parts);
    // The sum of this rank's share has replaced the first of the parts; all shares are gathered into `values`.
    this.#transfers.gather(parts.subarray(0, share), this.#shares, values);
  }

  #scratch(like: Numbers, length: number): Numbers {
    if (like instanceof Float32Array) {
      if (this.#scratch32.length < length) this.#scratch32 = new Float32Array(length);
      return this.#scratch32;
    }
    if (this.#scratch64.length < length) this.#scratch64 = new Float64Array(length);
    return this.#scratch64;
  }
}

/** out[i] = Σ over `count` parts of `length` numbers each, stored one after the other. `out` may be `parts`. */
function addParts(parts: Numbers, length: number, count: number, out: Numbers): void {
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let part = 0, j = i; part < count; part++, j += length) sum += parts[j]!;
    out[i] = sum;
  }
}
