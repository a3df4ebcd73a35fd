/** What the lab compares, as data: for each kernel its sizes and its versions, the naive one first. */
import type { LabKernels, LabMemory, Places } from './memory.ts';

interface Version {
  readonly name: string;
  /** Of assembly/. */
  readonly run: (kernels: LabKernels, place: Places, size: readonly number[]) => void;
  /** Anything that is not timed: packing for tiles. */
  readonly prepare?: (kernels: LabKernels, place: Places, size: readonly number[]) => void;
  /** The one of the package's assembly/, which is what users run. */
  readonly ships?: true;
}

export interface Experiment {
  readonly name: string;
  readonly sizes: readonly (readonly number[])[];
  readonly unit: 'GFLOP/s' | 'GB/s';
  /** Floating-point operations, or bytes read and written. */
  readonly work: (size: readonly number[]) => number;
  /** How many numbers of out to compare. */
  readonly results: (size: readonly number[]) => number;
  /** Largest difference from the naive version that is right, relative to the largest number. */
  readonly tolerance: (size: readonly number[]) => number;
  /** Fills a and b. */
  readonly fill: (memory: LabMemory, size: readonly number[]) => void;
  readonly versions: readonly Version[];
}

const ulp = 2 ** -23;

function call(name: string, ...values: number[]): (kernels: LabKernels) => void {
  return (kernels) => {
    const kernel = kernels[name];
    if (kernel === undefined) throw new Error(`lab/wasm/assembly exports no '${name}'`);
    kernel(...values);
  };
}

function product(name: string, label: string, ships?: true): Version {
  const run: Version['run'] = (kernels, { a, b, out, scratch }, [m = 0, n = 0, k = 0]) => {
    call(name, m, n, k, a, b, out, scratch)(kernels);
  };
  return ships === undefined ? { name: label, run } : { name: label, run, ships };
}

function tiles(name: string, label: string, height: number, width: number): Version {
  return {
    name: label,
    prepare: (kernels, { a, b, panelA, panelB }, [m = 0, n = 0, k = 0]) => {
      call('packGroups', a, k, m, 4, 4 * k, height, panelA)(kernels);
      call('packGroups', b, k, n, 4 * n, 4, width, panelB)(kernels);
    },
    run: (kernels, { panelA, panelB, out }, [m = 0, n = 0, k = 0]) => {
      call(name, m, n, k, panelA, panelB, out)(kernels);
    },
  };
}

/** x → out over rows×columns numbers. */
function pass(name: string, label: string, ships?: true): Version {
  const run: Version['run'] = (kernels, { a, out }, [rows = 0, columns = 0]) => {
    call(name, a, out, rows, columns)(kernels);
  };
  return ships === undefined ? { name: label, run } : { name: label, run, ships };
}

function pairs(name: string, label: string, ships?: true): Version {
  const run: Version['run'] = (kernels, { a, b, out }, [rows = 0, columns = 0]) => {
    call(name, a, b, out, rows, columns)(kernels);
  };
  return ships === undefined ? { name: label, run } : { name: label, run, ships };
}

const area = ([rows = 0, columns = 1]: readonly number[]): number => rows * columns;

function fillBoth(memory: LabMemory, [m = 0, n = 0, k = 1]: readonly number[]): void {
  memory.fill('a', Math.max(m * k, m * n), 1);
  memory.fill('b', Math.max(k * n, m * n), 1);
}

export const experiments: readonly Experiment[] = [
  {
    name: 'gemm',
    // Multiples of every tile's height and width.
    sizes: [
      [480, 480, 480],
      [120, 240, 300],
    ],
    unit: 'GFLOP/s',
    work: ([m = 0, n = 0, k = 0]) => 2 * m * n * k,
    results: area,
    tolerance: ([, , k = 0]) => k * ulp,
    fill: fillBoth,
    versions: [
      product('productNaive', 'naive'),
      product('productByRows', 'by rows'),
      product('productUnpacked', 'unpacked 4×8'),
      tiles('productTile4x4', 'tiles 4×4', 4, 4),
      tiles('productTile4x8', 'tiles 4×8', 4, 8),
      tiles('productTile4x8Twice', 'tiles 4×8 twice', 4, 8),
      tiles('productTile6x8', 'tiles 6×8', 6, 8),
      tiles('productTile3x12', 'tiles 3×12', 3, 12),
      tiles('productTile2x16', 'tiles 2×16', 2, 16),
      tiles('productTile2x16InPlace', 'tiles 2×16, a in place', 1, 16),
      product('productShipped', '2×16, packing b', true),
    ],
  },
  {
    name: 'exp',
    sizes: [
      [4096, 1],
      [262_144, 1],
    ],
    unit: 'GB/s',
    work: (size) => 8 * area(size),
    results: area,
    tolerance: () => 3 * ulp,
    fill: (memory, size) => {
      memory.fill('a', area(size), 10);
    },
    versions: [
      pass('expNaive', 'naive'),
      pass('expTable', 'by table in f32'),
      pass('expHorner', 'Horner'),
      pass('expTwoVectors', 'two vectors'),
      pass('expShipped', 'Estrin', true),
    ],
  },
  {
    name: 'row-sum',
    sizes: [
      [128, 304],
      [1024, 1024],
    ],
    unit: 'GB/s',
    work: (size) => 4 * area(size),
    results: ([rows = 0]) => rows,
    tolerance: () => ulp,
    fill: fillBoth,
    versions: [pass('rowSumNaive', 'naive'), pass('rowSumTwo', 'two sums'), pass('rowSumShipped', 'four sums', true)],
  },
  {
    name: 'column-sum',
    sizes: [
      [128, 304],
      [1024, 1024],
    ],
    unit: 'GB/s',
    work: (size) => 4 * area(size),
    results: ([, columns = 0]) => columns,
    tolerance: () => ulp,
    fill: fillBoth,
    versions: [
      pass('columnSumNaive', 'naive'),
      pass('columnSumFour', 'four columns'),
      pass('columnSumEight', 'eight columns'),
      pass('columnSumShipped', 'eight in chunks', true),
    ],
  },
  {
    name: 'row-dot',
    sizes: [
      [128, 304],
      [1024, 1024],
    ],
    unit: 'GB/s',
    work: (size) => 8 * area(size),
    results: ([rows = 0]) => rows,
    // That of products and sums in f64, which cancellation makes necessary; the others show what it costs.
    tolerance: () => ulp / 4,
    fill: fillBoth,
    versions: [
      pairs('rowDotNaive', 'naive'),
      pairs('rowDotSingle', 'f32'),
      pairs('rowDotMixed', 'products in f32'),
      pairs('rowDotShipped', 'f64', true),
    ],
  },
  {
    name: 'transposition',
    sizes: [
      [128, 304],
      [512, 512],
    ],
    unit: 'GB/s',
    work: (size) => 8 * area(size),
    results: area,
    tolerance: () => 0,
    fill: fillBoth,
    versions: [
      pass('transposeNaive', 'naive'),
      pass('transposeLanes', 'four lanes'),
      pass('transposeShipped', '4×4 in registers', true),
    ],
  },
];
