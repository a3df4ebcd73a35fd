/**
 * The rows of a range by epoch: in each block one epoch that nearly all rows have, because the background sweep converts
 * rows in their order, and the strays, which steps have touched since.
 */
export class StrayRows {
  /** The epoch of each block of the range. */
  readonly epochs: number[] = [];
  /** The places of the strays in the range, by epoch. */
  readonly #strays = new Map<number, number[]>();

  /**
   * @param blockRows blocks begin at multiples of it.
   * @returns false where more than a quarter of the rows are strays.
   */
  find(rowEpochs: Int32Array, first: number, count: number, blockRows: number): boolean {
    this.epochs.length = 0;
    this.#strays.clear();
    let strays = 0;
    for (let done = 0; done < count;) {
      const end = done + Math.min(count - done, blockRows - ((first + done) % blockRows));
      const epoch = majority(rowEpochs, first + done, first + end);
      this.epochs.push(epoch);
      for (let place = done; place < end; place++) {
        const own = rowEpochs[first + place]!;
        if (own === epoch) continue;
        if (++strays > count / 4) return false;
        const list = this.#strays.get(own);
        if (list === undefined) this.#strays.set(own, [place]);
        else list.push(place);
      }
      done = end;
    }
    return true;
  }

  *byEpoch(): Generator<[epoch: number, places: Int32Array]> {
    for (const [epoch, places] of this.#strays) yield [epoch, Int32Array.from(places)];
  }
}

/** The epoch of more than half of the rows, if there is one (R. Boyer and J. Moore, 1981); else that of some row. */
function majority(rowEpochs: Int32Array, first: number, end: number): number {
  let epoch = rowEpochs[first]!;
  let lead = 0;
  for (let row = first; row < end; row++) {
    const own = rowEpochs[row]!;
    if (lead === 0) epoch = own;
    lead += own === epoch ? 1 : -1;
  }
  return epoch;
}
