/** The k best of what it is offered, best first; of equal scores the smaller index. Insertion into a sorted list. */
export class BestList {
  readonly k: number;
  /** −1 where there is none. */
  readonly indices: Int32Array;
  readonly scores: Float64Array;
  #count = 0;

  /** Over k places of the arrays. */
  constructor(k: number, indices: Int32Array = new Int32Array(k), scores: Float64Array = new Float64Array(k)) {
    this.k = k;
    this.indices = indices.fill(-1);
    this.scores = scores.fill(-Infinity);
  }

  /** A lower score cannot enter; an equal one can, by its index. */
  get threshold(): number {
    return this.#count < this.k ? -Infinity : this.scores[this.k - 1]!;
  }

  offer(index: number, score: number): void {
    const { k, indices, scores } = this;
    let place = this.#count;
    if (place === k) {
      const last = scores[k - 1]!;
      if (score < last || (score === last && index > indices[k - 1]!)) return;
      place--;
    } else this.#count++;
    while (place > 0 && (scores[place - 1]! < score || (scores[place - 1] === score && indices[place - 1]! > index))) {
      scores[place] = scores[place - 1]!;
      indices[place] = indices[place - 1]!;
      place--;
    }
    scores[place] = score;
    indices[place] = index;
  }
}
