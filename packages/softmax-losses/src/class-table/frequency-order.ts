/**
 * Classes from the most to the least frequent; equally frequent classes in ascending order. O(D log D); O(D) if they
 * are already sorted.
 */
export function classesByFrequency(frequencies: ArrayLike<number>): Int32Array {
  const classes = Int32Array.from({ length: frequencies.length }, (_, k) => k);
  let isSorted = true;
  for (let k = 1; k < classes.length && isSorted; k++) isSorted = frequencies[k - 1]! >= frequencies[k]!;
  return isSorted ? classes : classes.sort((a, b) => frequencies[b]! - frequencies[a]! || a - b);
}

/** The position of each class in a list from {@link classesByFrequency}. */
export function ranksOfClasses(classes: Int32Array): Int32Array {
  const ranks = new Int32Array(classes.length);
  for (let rank = 0; rank < classes.length; rank++) ranks[classes[rank]!] = rank;
  return ranks;
}
