/**
 * The sum over the ranks, added in the order of the ranks in f64 and rounded once, so that every rank ends with the
 * same bits whoever added.
 *
 *     few numbers, or two ranks   everybody gets everything and adds           n(p − 1) sent, one exchange
 *     many                        each rank adds its share, then hands it round  2n(p − 1)/p sent, two exchanges (Rabenseifner's reduce-scatter)
 */
type Numbers = Float32Array | Float64Array;

export interface SumMoves {
  gather(part: Numbers, counts: Int32Array, out: Numbers): void;
  exchange(send: Numbers, sendCounts: Int32Array, receive: Numbers, receiveCounts: Int32Array): void;
}

const gatheredBytes = 4096;

export class RankOrderSum {
  readonly #rank: number;
  readonly #size: number;
  readonly #moves: SumMoves;
  readonly #shares: Int32Array;
  readonly #own: Int32Array;
  #scratch32: Float32Array = new Float32Array(0);
  #scratch64: Float64Array = new Float64Array(0);

  constructor(rank: number, size: number, moves: SumMoves) {
    this.#rank = rank;
    this.#size = size;
    this.#moves = moves;
    this.#shares = new Int32Array(size);
    this.#own = new Int32Array(size);
  }

  /** In place. */
  add(values: Numbers): void {
    const size = this.#size;
    if (size === 1) return;
    const { length } = values;
    if (size === 2 || values.byteLength <= gatheredBytes) {
      this.#own.fill(length);
      const all = this.#room(values, length * size);
      this.#moves.gather(values, this.#own, all);
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
    const parts = this.#room(values, share * size);
    this.#moves.exchange(values, this.#shares, parts, this.#own);
    addParts(parts, share, size, parts);
    // The sum lies over the first part; everybody's goes to where it belongs.
    this.#moves.gather(parts.subarray(0, share), this.#shares, values);
  }

  #room(like: Numbers, length: number): Numbers {
    if (like instanceof Float32Array) {
      if (this.#scratch32.length < length) this.#scratch32 = new Float32Array(length);
      return this.#scratch32;
    }
    if (this.#scratch64.length < length) this.#scratch64 = new Float64Array(length);
    return this.#scratch64;
  }
}

/** out[i] = Σ over `count` parts of `length` numbers that lie one after the other. `out` may be `parts`. */
function addParts(parts: Numbers, length: number, count: number, out: Numbers): void {
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let part = 0, j = i; part < count; part++, j += length) sum += parts[j]!;
    out[i] = sum;
  }
}
