/** The product, from a thread for each element to what ships; and what ships where a tile is the wrong shape. */
import {
  type KernelDispatch,
  packParameters,
  planGemm,
  tiledProduct,
  type TiledProduct,
  tiledProductEntry,
} from '@vastmax/gpu-backend-webgpu/testing';
import { createNumbers, limits, ulp, type Experiment, type Version } from './experiment.ts';
import { naiveProduct, sharedProduct } from './naive-products.ts';

type GemmSettings = Parameters<typeof planGemm>[3];
type Size = readonly [m: number, n: number, k: number];

const plain: GemmSettings = { transposeA: false, transposeB: false, alpha: 1, beta: 0 };
const transposed: GemmSettings = { ...plain, transposeA: true };

function dispatch(
  code: string,
  entryPoint: string,
  [m, n, k]: Size,
  workgroups: readonly [number, number, number],
): readonly KernelDispatch[] {
  const uniforms = packParameters({ m, n, k, groups: workgroups[0], depthPerSplit: k, splits: 1, alpha: 1, beta: 0 });
  return [{ code, entryPoint, workgroups, uniforms, bindings: ['a', 'b', 'out'] }];
}

const naive = (size: Size, settings: GemmSettings): Version => ({
  name: 'naive',
  plan: dispatch(naiveProduct(settings), 'multiply', size, [Math.ceil(size[1] / 8), Math.ceil(size[0] / 8), 1]),
});

const shared = (size: Size, settings: GemmSettings): Version => ({
  name: '16×16 in workgroup memory',
  plan: dispatch(sharedProduct(settings), 'multiply', size, [Math.ceil(size[1] / 16), Math.ceil(size[0] / 16), 1]),
});

type Tile = Pick<TiledProduct, 'blocksDown' | 'blocksAcross' | 'depth'>;

function tiles(size: Size, { transposeA, transposeB }: GemmSettings, tile: Tile, vectors: 'scalar' | 'vec4'): Version {
  const [m, n, k] = size;
  const [height, width] = [32 * tile.blocksDown, 32 * tile.blocksAcross];
  const vector = (length: number): boolean => vectors === 'vec4' && length % 4 === 0;
  const options: TiledProduct = {
    ...tile,
    transposeA,
    transposeB,
    vectorA: vector(transposeA ? m : k),
    vectorB: vector(transposeB ? k : n),
    vectorOut: vector(n),
    isSplit: false,
  };
  return {
    name: `tiles ${height}×${width}×${tile.depth}, ${vectors}`,
    plan: dispatch(tiledProduct(options), tiledProductEntry, size, [
      Math.ceil(m / height) * Math.ceil(n / width),
      1,
      1,
    ]),
  };
}

function shipped([m, n, k]: Size, settings: GemmSettings): Version {
  const plan = planGemm(m, n, k, settings, limits);
  return { name: `shipped: ${plan.map(({ workgroups }) => workgroups.join('·')).join(' + ')}`, ships: true, plan };
}

const small: Tile = { blocksDown: 1, blocksAcross: 1, depth: 16 };
const wide: Tile = { blocksDown: 1, blocksAcross: 2, depth: 16 };
const large: Tile = { blocksDown: 2, blocksAcross: 2, depth: 16 };

function createProduct(kernel: string, size: Size, settings: GemmSettings, others: readonly Version[]): Experiment {
  const [m, n, k] = size;
  const [a, b] = [createNumbers(m * k, 1), createNumbers(k * n, 2)];
  return {
    kernel,
    size,
    flops: 2 * m * n * k,
    operands: { a, b, out: new Float32Array(m * n).fill(Number.NaN) },
    versions: [naive(size, settings), ...others, shipped(size, settings)],
    error: (out) => largestError(out, a, b, size, settings.transposeA),
  };
}

/** Against loops in f64, in units of (k + 3)·ε·Σ|a||b|. */
function largestError(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  [m, n, k]: Size,
  transposeA: boolean,
): number {
  const [sums, magnitudes] = [new Float64Array(n), new Float64Array(n)];
  let largest = 0;
  for (let i = 0; i < m; i++) {
    sums.fill(0);
    magnitudes.fill(0);
    for (let p = 0; p < k; p++) {
      const left = a[transposeA ? p * m + i : i * k + p]!;
      for (let j = 0, at = p * n; j < n; j++, at++) {
        const term = left * b[at]!;
        sums[j]! += term;
        magnitudes[j]! += Math.abs(term);
      }
    }
    for (let j = 0; j < n; j++) {
      const error = Math.abs(out[i * n + j]! - sums[j]!) / ((k + 3) * ulp * magnitudes[j]!);
      if (!(error <= largest)) largest = error;
    }
  }
  return largest;
}

const gemm = (size: Size): Experiment =>
  createProduct('gemm', size, plain, [
    shared(size, plain),
    tiles(size, plain, small, 'scalar'),
    tiles(size, plain, small, 'vec4'),
    tiles(size, plain, wide, 'vec4'),
    tiles(size, plain, large, 'scalar'),
    tiles(size, plain, large, 'vec4'),
  ]);

/** As functions, since their operands take memory. */
export const gemmExperiments: Readonly<Record<string, readonly (() => Experiment)[]>> = {
  gemm: [() => gemm([512, 512, 512]), () => gemm([128, 300, 300])],
  'gemm-transposed': [
    () =>
      createProduct('gemm-transposed', [300, 300, 128], transposed, [
        tiles([300, 300, 128], transposed, small, 'vec4'),
      ]),
  ],
  'matrix-vector': [
    () => createProduct('matrix-vector', [1024, 1, 1024], plain, [tiles([1024, 1, 1024], plain, small, 'vec4')]),
    () => createProduct('matrix-vector', [1, 1024, 1024], plain, [tiles([1, 1024, 1024], plain, small, 'vec4')]),
  ],
  'long-sums': [() => createProduct('long-sums', [24, 24, 8192], plain, [tiles([24, 24, 8192], plain, small, 'vec4')])],
};
