/**
 * Which kernels compute a product, with how many workgroups. It depends on the shape only, so the same product is
 * always computed in the same order. Almost all products are one dispatch. Products with few elements and long sums
 * cannot keep a GPU busy: there each sum is split over several workgroups ("split k"), and a second dispatch adds the
 * partial sums.
 *
 *     no elements           nothing
 *     no terms, or alpha 0  beta·out
 *     one row or column     matrix times vector
 *     else                  tiles of 64×64 where that gives enough workgroups, else of 32×32
 */
import type { GemmSettings } from '@vastmax/linalg-core';
import type { KernelDispatch } from '../kernel-dispatch.ts';
import { addSplitsCode, addSplitsEntry, resultsPerFinishGroup, scaleOutCode, scaleOutEntry } from './finish-product.ts';
import { matrixVector, matrixVectorEntry, resultsPerGroup, type MatrixVector } from './matrix-vector.ts';
import { packParameters, type ProductParameters } from './product-parameters.ts';
import { tiledProduct, tiledProductEntry, type TiledProduct } from './tiled-product.ts';
import { foldWorkgroups, type GridLimits } from './workgroup-grid.ts';

/**
 * Minimum number of large tiles. With fewer, processors of the GPU are idle, which costs more than large tiles save.
 */
const enoughLargeTiles = 64;
/** Below this many workgroups each sum is split among several. */
const enoughGroups = 32;
/** Minimum number of terms for each workgroup of a split sum. */
const minDepthPerSplit = 512;
const maxSplits = 64;

type Shape = Pick<ProductParameters, 'm' | 'n' | 'k'>;
type Transposes = Pick<GemmSettings, 'transposeA' | 'transposeB'>;

const codes = new Map<string, string>();

/** The WGSL of a kernel, built once: the string is the key of the pipeline cache. */
function cachedCode<T>(entryPoint: string, options: T, generate: (options: T) => string): string {
  const key = `${entryPoint} ${JSON.stringify(options)}`;
  let code = codes.get(key);
  if (code === undefined) {
    code = generate(options);
    codes.set(key, code);
  }
  return code;
}

/**
 * The dispatches of out = alpha·op(a)·op(b) + beta·out in order; bindings `a`, `b`, `out`, and `scratch0` where the
 * sums are split.
 * @param m rows of out, n columns of out, k terms of each sum; a is m×k (k×m when transposed), b k×n (n×k)
 */
export function planGemm(
  m: number,
  n: number,
  k: number,
  settings: GemmSettings,
  limits: GridLimits,
): readonly KernelDispatch[] {
  if (m === 0 || n === 0) return [];
  const shape = { m, n, k };
  if (k === 0 || settings.alpha === 0)
    return [planElements(shape, settings, limits, scaleOutCode, scaleOutEntry, ['out'])];
  const { code, entryPoint, groups, depth } =
    m === 1 || n === 1 ? chooseVector(shape, settings) : chooseTile(shape, settings);
  const splits = splitsOf(groups, k);
  const depthPerSplit = splits === 1 ? k : Math.ceil(k / splits / depth) * depth;
  const used = Math.ceil(k / depthPerSplit);
  const isSplit = used > 1;
  const parameters = { ...shape, groups, depthPerSplit, splits: used, alpha: settings.alpha, beta: settings.beta };
  const scratchBytes = [4 * used * m * n];
  const product: KernelDispatch = {
    code: code(isSplit),
    entryPoint,
    workgroups: [...foldWorkgroups(groups, limits), used],
    uniforms: packParameters(parameters),
    bindings: ['a', 'b', isSplit ? 'scratch0' : 'out'],
    ...(isSplit ? { scratchBytes } : {}),
  };
  if (!isSplit) return [product];
  return [
    product,
    {
      ...planElements(shape, settings, limits, addSplitsCode, addSplitsEntry, ['scratch0', 'out'], used),
      scratchBytes,
    },
  ];
}

function splitsOf(groups: number, k: number): number {
  if (groups >= enoughGroups) return 1;
  return Math.max(1, Math.min(maxSplits, Math.ceil((2 * enoughGroups) / groups), Math.floor(k / minDepthPerSplit)));
}

function planElements(
  shape: Shape,
  { alpha, beta }: GemmSettings,
  limits: GridLimits,
  code: string,
  entryPoint: string,
  bindings: KernelDispatch['bindings'],
  splits = 1,
): KernelDispatch {
  const groups = Math.ceil((shape.m * shape.n) / resultsPerFinishGroup);
  const uniforms = packParameters({ ...shape, groups, depthPerSplit: shape.k, splits, alpha, beta });
  return { code, entryPoint, workgroups: [...foldWorkgroups(groups, limits), 1], uniforms, bindings };
}

interface Choice {
  readonly code: (isSplit: boolean) => string;
  readonly entryPoint: string;
  readonly groups: number;
  /** A split's length is a multiple of this. */
  readonly depth: number;
}

function chooseTile({ m, n, k }: Shape, { transposeA, transposeB }: Transposes): Choice {
  const large = Math.ceil(m / 64) * Math.ceil(n / 64) >= enoughLargeTiles;
  const size = large ? 64 : 32;
  const blocks = large ? 2 : 1;
  // With few terms, as in an outer product, a larger depth would compute zeros.
  const depth = k <= 8 ? 8 : 16;
  const options: Omit<TiledProduct, 'isSplit'> = {
    blocksDown: blocks,
    blocksAcross: blocks,
    depth,
    transposeA,
    transposeB,
    vectorA: (transposeA ? m : k) % 4 === 0,
    vectorB: (transposeB ? k : n) % 4 === 0,
    vectorOut: n % 4 === 0,
  };
  return {
    code: (isSplit) => cachedCode<TiledProduct>(tiledProductEntry, { ...options, isSplit }, tiledProduct),
    entryPoint: tiledProductEntry,
    groups: Math.ceil(m / size) * Math.ceil(n / size),
    depth,
  };
}

/** With n = 1 the matrix is op(a) and out its product with b; with m = 1 it is op(b)ᵀ and out its product with a. */
function chooseVector({ m, n, k }: Shape, { transposeA, transposeB }: Transposes): Choice {
  const matrix = n === 1 ? 'a' : 'b';
  const alongLines = n === 1 ? !transposeA : transposeB;
  const results = m * n;
  const options: Omit<MatrixVector, 'isSplit'> = {
    direction: alongLines ? 'along-lines' : 'across-lines',
    matrix,
    lanes: alongLines && results < 8 * enoughGroups && k > 128 ? 256 : 32,
    vector: alongLines && k % 4 === 0,
  };
  return {
    code: (isSplit) => cachedCode<MatrixVector>(matrixVectorEntry, { ...options, isSplit }, matrixVector),
    entryPoint: matrixVectorEntry,
    groups: Math.ceil(results / resultsPerGroup(options)),
    depth: 256,
  };
}
