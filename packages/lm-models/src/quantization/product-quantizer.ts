/**
 * Product quantisation (H. Jégou, M. Douze, C. Schmid, "Product Quantization for Nearest Neighbor Search", 2011; of
 * word vectors in arXiv:1612.03651 §3): a row is cut into parts of a few numbers, and each part is replaced by the
 * number of the nearest of 256 centroids, which k-means finds for that part on a sample of the rows.
 */
import { RandomGenerator } from '@vastmax/sparse-data';

/** As many as one byte can name. */
export const centroidsPerPart = 256;
const iterations = 12;
/** An empty cluster takes a point this close to the centroid of the largest one. */
const split = 1e-4;

export interface ProductCodebook {
  /** Numbers in a part; the last one is filled up with zeros. */
  readonly partWidth: number;
  readonly parts: number;
  /** (parts·256)×partWidth: the centroids of the first part, then those of the second, and so on. */
  readonly centroids: Float32Array;
}

/**
 * A codebook for rows like those of the sample. O(12 · rows · 256 · columns).
 * @param sample row by row; at least 256 rows give every centroid a point of its own to start from.
 */
export function trainProductCodebook(
  sample: Float32Array,
  columns: number,
  { partWidth, seed }: { readonly partWidth: number; readonly seed: number },
): ProductCodebook {
  const parts = Math.ceil(columns / partWidth);
  const rows = sample.length / columns;
  const centroids = new Float32Array(parts * centroidsPerPart * partWidth);
  const random = new RandomGenerator(seed);
  const points = new Float32Array(rows * partWidth);
  for (let part = 0; part < parts; part++) {
    takePart(sample, columns, part, partWidth, points);
    const first = part * centroidsPerPart * partWidth;
    centroids.set(clusterCentres(points, partWidth, random), first);
  }
  return { partWidth, parts, centroids };
}

/** The codes of rows, rows×parts. O(rows · 256 · columns). */
export function encodeRows(rows: Float32Array, columns: number, codebook: ProductCodebook): Uint8Array {
  const { partWidth, parts, centroids } = codebook;
  const count = rows.length / columns;
  const codes = new Uint8Array(count * parts);
  const points = new Float32Array(count * partWidth);
  const nearest = new Uint8Array(count);
  for (let part = 0; part < parts; part++) {
    takePart(rows, columns, part, partWidth, points);
    const first = part * centroidsPerPart * partWidth;
    findNearest(points, partWidth, centroids.subarray(first, first + centroidsPerPart * partWidth), nearest);
    for (let row = 0; row < count; row++) codes[row * parts + part] = nearest[row]!;
  }
  return codes;
}

/** Rows of codes in numbers: `out` is count×columns, which may be less than parts·partWidth. */
export function decodeRows(
  codes: Uint8Array,
  { partWidth, parts, centroids }: ProductCodebook,
  out: Float32Array,
): void {
  const count = codes.length / parts;
  const columns = count === 0 ? 0 : out.length / count;
  for (let row = 0; row < count; row++) {
    for (let part = 0; part < parts; part++) {
      const centroid = (part * centroidsPerPart + codes[row * parts + part]!) * partWidth;
      const start = part * partWidth;
      const end = Math.min(columns, start + partWidth);
      for (let column = start; column < end; column++)
        out[row * columns + column] = centroids[centroid + column - start]!;
    }
  }
}

function takePart(rows: Float32Array, columns: number, part: number, partWidth: number, out: Float32Array): void {
  const count = rows.length / columns;
  const start = part * partWidth;
  const end = Math.min(columns, start + partWidth);
  if (end - start < partWidth) out.fill(0);
  for (let row = 0; row < count; row++)
    for (let column = start; column < end; column++)
      out[row * partWidth + column - start] = rows[row * columns + column]!;
}

/** k-means. Centroids start at points drawn without repetition where there are enough. */
function clusterCentres(points: Float32Array, width: number, random: RandomGenerator): Float32Array {
  const count = points.length / width;
  const centroids = new Float32Array(centroidsPerPart * width);
  const order = Int32Array.from({ length: count }, (_, at) => at);
  for (let at = 0; at < centroidsPerPart; at++) {
    const drawn = at < count ? at + Math.floor(random.uniform() * (count - at)) : at % count;
    const point = order[drawn]!;
    if (at < count) {
      order[drawn] = order[at]!;
      order[at] = point;
    }
    centroids.set(points.subarray(point * width, (point + 1) * width), at * width);
  }
  const nearest = new Uint8Array(count);
  for (let iteration = 0; iteration < iterations; iteration++) {
    findNearest(points, width, centroids, nearest);
    moveToMeans(points, width, nearest, centroids);
  }
  return centroids;
}

/** The nearest centroid maximizes x·c − ‖c‖²/2. */
function findNearest(points: Float32Array, width: number, centroids: Float32Array, nearest: Uint8Array): void {
  const halfNorms = new Float64Array(centroidsPerPart);
  for (let c = 0; c < centroidsPerPart; c++)
    for (let i = 0; i < width; i++) halfNorms[c]! += 0.5 * centroids[c * width + i]! ** 2;
  for (let point = 0; point < nearest.length; point++) {
    let best = -Infinity;
    let at = 0;
    for (let c = 0; c < centroidsPerPart; c++) {
      let value = -halfNorms[c]!;
      for (let i = 0; i < width; i++) value += points[point * width + i]! * centroids[c * width + i]!;
      if (value > best) {
        best = value;
        at = c;
      }
    }
    nearest[point] = at;
  }
}

function moveToMeans(points: Float32Array, width: number, nearest: Uint8Array, centroids: Float32Array): void {
  const counts = new Int32Array(centroidsPerPart);
  const sums = new Float64Array(centroids.length);
  for (let point = 0; point < nearest.length; point++) {
    const c = nearest[point]!;
    counts[c]!++;
    for (let i = 0; i < width; i++) sums[c * width + i]! += points[point * width + i]!;
  }
  for (let c = 0; c < centroidsPerPart; c++) {
    const count = counts[c]!;
    if (count > 0) for (let i = 0; i < width; i++) centroids[c * width + i] = sums[c * width + i]! / count;
  }
  for (let c = 0; c < centroidsPerPart; c++) {
    if (counts[c]! > 0) continue;
    let largest = 0;
    for (let other = 1; other < centroidsPerPart; other++) if (counts[other]! > counts[largest]!) largest = other;
    for (let i = 0; i < width; i++) {
      const value = centroids[largest * width + i]!;
      centroids[c * width + i] = value * (1 + split) + Number.MIN_VALUE;
    }
    counts[c] = counts[largest]! >> 1;
    counts[largest]! -= counts[c]!;
  }
}
