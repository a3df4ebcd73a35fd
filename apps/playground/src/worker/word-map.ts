/** The output vectors of frequent words on a plane: their two principal components, by power iteration. */
import { readClassVectors } from '@vastmax/lm-models/metrics';
import type { FromWorker } from '../messages.ts';
import type { WordModel } from './job.ts';

const shown = 120;
const iterations = 60;

export async function mapWords({ model }: WordModel): Promise<FromWorker> {
  const { vocabulary, network } = model;
  // Short words are articles and the like, which are all in one place.
  const words = vocabulary.tokens.filter((word) => /^\p{L}{4,}$/u.test(word)).slice(0, shown);
  const ids = Int32Array.from(words, (word) => vocabulary.idOf(word) ?? 0);
  const vectors = (await readClassVectors(network.output, ids)).map(unit);
  const [x = [], y = []] = principalComponents(vectors, 2);
  return { type: 'map', words: words.map((word, at) => ({ word, x: x[at] ?? 0, y: y[at] ?? 0 })) };
}

/** Of the angles, not of the lengths, which say how frequent a word is. */
function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

/**
 * The coordinates of rows along their first principal components, a list for each. O(iterations·rows·width).
 * @param rows change.
 */
function principalComponents(rows: readonly Float64Array[], count: number): number[][] {
  const width = rows[0]?.length ?? 0;
  for (let i = 0; i < width; i++) {
    const mean = rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length;
    for (const row of rows) row[i]! -= mean;
  }
  return Array.from({ length: count }, () => {
    let axis: Float64Array = Float64Array.from({ length: width }, (_, i) => Math.cos(i + 1));
    for (let iteration = 0; iteration < iterations; iteration++) {
      const next = new Float64Array(width);
      for (const row of rows) {
        const along = dot(row, axis);
        for (let i = 0; i < width; i++) next[i]! += along * row[i]!;
      }
      axis = unit(next);
    }
    const coordinates = rows.map((row) => dot(row, axis));
    // The next component is of what is left.
    for (const [at, row] of rows.entries()) for (let i = 0; i < width; i++) row[i]! -= coordinates[at]! * axis[i]!;
    return coordinates;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
