/** The rows of a tensor that point in the direction closest to a vector: cosine similarity, streamed by blocks. */
import type { TensorSource, TensorValues } from '@vastmax/linalg-core/state';

export interface NearestRow {
  readonly row: number;
  /** The cosine of the angle between both vectors; 0 when either is zero. */
  readonly similarity: number;
}

export interface Probe {
  readonly vector: ArrayLike<number>;
  /** The row that is the probe itself, which is left out. */
  readonly own?: number | undefined;
}

const rowsPerBlock = 4096;

/** The k nearest rows of each probe, best first. O(rows·columns·probes), memory of one block. */
export async function nearestRows(vectors: TensorSource, probes: readonly Probe[], k: number): Promise<NearestRow[][]> {
  const { rows, columns } = vectors;
  const best: NearestRow[][] = probes.map(() => []);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, rows - first);
    const block = await vectors.read(first, count);
    for (let at = 0; at < count; at++) {
      const row = first + at;
      for (const [place, { vector, own }] of probes.entries()) {
        if (row === own) continue;
        const similarity = cosine(vector, block, at * columns, columns);
        const list = best[place]!;
        if (list.length === k && !(similarity > list[k - 1]!.similarity)) continue;
        const position = list.findIndex((other) => other.similarity < similarity);
        list.splice(position < 0 ? list.length : position, 0, { row, similarity });
        if (list.length > k) list.pop();
      }
    }
  }
  return best;
}

/** 0 when either vector is zero. */
function cosine(a: ArrayLike<number>, block: TensorValues, offset: number, width: number): number {
  let product = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < width; i++) {
    product += a[i]! * block[offset + i]!;
    squaresA += a[i]! ** 2;
    squaresB += block[offset + i]! ** 2;
  }
  return squaresA === 0 || squaresB === 0 ? 0 : product / Math.sqrt(squaresA * squaresB);
}
