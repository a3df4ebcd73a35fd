/**
 * The places of the k largest values that are above zero, largest first; of equal ones the smaller place. O(n + n·k in
 * the worst case).
 */
export function topOf(values: Float64Array, k: number): number[] {
  const best: number[] = [];
  let worst = 0;
  for (let place = 0; place < values.length; place++) {
    const value = values[place]!;
    if (!(value > worst)) continue;
    let position = Math.min(best.length, k - 1);
    while (position > 0 && values[best[position - 1]!]! < value) {
      best[position] = best[position - 1]!;
      position--;
    }
    best[position] = place;
    if (best.length === k) worst = values[best[k - 1]!]!;
  }
  return best;
}
