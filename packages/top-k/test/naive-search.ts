/** What every way of searching must equal: all scores by a plain loop, sorted. */
export interface NaiveSet {
  readonly width: number;
  readonly vectors: Float32Array;
  readonly biases?: ArrayLike<number> | undefined;
}

export function naiveSearch(
  { width, vectors, biases }: NaiveSet,
  query: ArrayLike<number>,
  k: number,
  accept: (index: number) => boolean = () => true,
): { indices: number[]; scores: number[] } {
  const found: { index: number; score: number }[] = [];
  for (let index = 0; index < vectors.length / width; index++) {
    if (!accept(index)) continue;
    let score = 0;
    for (let j = 0; j < width; j++) score += query[j]! * vectors[index * width + j]!;
    if (biases !== undefined) score += biases[index]!;
    found.push({ index, score });
  }
  found.sort((a, b) => b.score - a.score || a.index - b.index);
  const best = found.slice(0, k);
  while (best.length < k) best.push({ index: -1, score: -Infinity });
  return { indices: best.map(({ index }) => index), scores: best.map(({ score }) => score) };
}
