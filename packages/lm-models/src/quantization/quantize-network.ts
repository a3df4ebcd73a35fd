/** A trained network in a quarter or an eighth of its bytes, for prediction: its large tables as codes of one byte. */
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { CancellationSignal } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { Network } from '../network/network.ts';
import { quantizeTensor, zerosRecord } from './quantize-tensor.ts';
import {
  dequantizedModel,
  quantizationMethods,
  quantizedModule,
  type QuantizationMethod,
  type QuantizedTensor,
} from './quantized-module.ts';

/** How tables are compressed, and how to stop and to see how much is done. */
export interface QuantizationOptions {
  /**
   * `8-bit`: each number is a multiple of 1/127 of its row's largest one; a quarter of the bytes of f32. `product`: each
   * part of a row is one of 256 centroids; 4·partWidth times fewer bytes, and less exact.
   */
  readonly method: QuantizationMethod;
  /** Numbers in a part, for `product`; 2 unless given. */
  readonly partWidth?: number;
  /** Of the centroids; 1 unless given. */
  readonly seed?: number;
  readonly signal?: CancellationSignal;
  /** Called with the rows of all tables that are done. */
  readonly onProgress?: (rows: number, total: number) => void;
}

/** What became of one table. */
export interface QuantizedTable {
  readonly module: string;
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Of its numbers, as they were and as they are now. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** The modules of a smaller model for `writeCheckpoint`, and what became of each table. */
export interface QuantizedNetwork {
  /** For a checkpoint. They are read from the network, which must not change before the checkpoint is written. */
  readonly modules: Readonly<Record<string, ModuleState>>;
  readonly tables: readonly QuantizedTable[];
}

/** Smaller tables stay as they are: there is little to save, and centroids have 256 rows themselves. */
const minRows: Readonly<Record<QuantizationMethod, number>> = { '8-bit': 256, product: 512 };

/**
 * Quantises the tables of a network: the embeddings of its body and what its output layer has for each class. **The
 * network's weights become those that the codes stand for**, so that the sums that the factored layer tracks are those
 * of the weights that will be loaded. Moments of update rules are dropped. Biases stay as they are. O(numbers), times
 * 256 for `product`; O(D·d²) for a factored layer, whose rows are brought up to date first.
 *
 * A checkpoint of the result is loaded by `loadNetwork` and its kin, as numbers of full width: it is smaller on disk
 * and over a network, not in memory. Training does not go on from it.
 * @throws ModelError `bad-option` for an option out of range, `unsupported` for a network that is quantised or has no
 * table that is large enough; OutputLayerError `busy`.
 */
export async function quantizeNetwork(
  network: Pick<Network<never>, 'output' | 'modules' | 'restore'>,
  { method, partWidth = 2, seed = 1, signal, onProgress }: QuantizationOptions,
): Promise<QuantizedNetwork> {
  checkOptions(method, partWidth);
  await network.output.materialize?.();
  const modules = network.modules();
  const width = network.output.features + 1;
  const chosen = Object.entries(modules).flatMap(([module, { tensors }]) =>
    tensors.filter((tensor) => isLargeTable(tensor, minRows[method])).map((tensor) => ({ module, tensor })),
  );
  const total = chosen.reduce((sum, { tensor }) => sum + (isMoment(tensor) ? 0 : tensor.rows), 0);
  if (total === 0)
    throw new ModelError(
      'unsupported',
      `the network has no table of at least ${minRows[method]} rows: there is nothing to quantise`,
    );
  const quantized = new Map(Object.keys(modules).map((name) => [name, new Map<string, QuantizedTensor>()]));
  const tables: QuantizedTable[] = [];
  let done = 0;
  for (const { module, tensor } of chosen) {
    const { name, rows, columns } = tensor;
    if (isMoment(tensor)) {
      quantized.get(module)?.set(name, { record: zerosRecord(tensor), tensors: [] });
      continue;
    }
    const before = done;
    const result = await quantizeTensor(
      tensor,
      { method, partWidth: Math.min(partWidth, columns), seed, bias: module === 'output' && columns === width },
      (now) => {
        signal?.throwIfAborted();
        onProgress?.((done = before + now), total);
      },
    );
    quantized.get(module)?.set(name, result);
    tables.push({ module, name, rows, columns, bytesBefore: bytesOf([tensor]), bytesAfter: bytesOf(result.tensors) });
  }
  const withCodes = (states: Readonly<Record<string, ModuleState>>): Record<string, ModuleState> =>
    Object.fromEntries(
      Object.entries(states).map(([name, state]) => {
        const own = quantized.get(name);
        return [name, own === undefined || own.size === 0 ? state : quantizedModule(state, own)];
      }),
    );
  // What the layer tracks of its rows becomes that of the rows that the codes stand for.
  const rounded = withCodes(modules);
  await network.restore(dequantizedModel({ module: (name) => rounded[name] ?? { configuration: {}, tensors: [] } }));
  await network.output.materialize?.();
  return { modules: withCodes(network.modules()), tables };
}

function checkOptions(method: string, partWidth: number): void {
  if (!quantizationMethods.some((each) => each === method))
    throw new ModelError(
      'bad-option',
      `quantisation: the method is ${method}; there are ${quantizationMethods.join(', ')}`,
    );
  if (!Number.isSafeInteger(partWidth) || partWidth < 1)
    throw new ModelError(
      'bad-option',
      `quantisation: partWidth is ${partWidth}; a whole number of at least 1 is needed`,
    );
}

function isMoment({ name }: TensorSource): boolean {
  return /\.moment\.\d+$/.test(name);
}

function isLargeTable({ rows, columns, precision }: TensorSource, min: number): boolean {
  // The square matrices of the factored layer multiply every row: they stay exact.
  return rows >= min && rows > columns && columns > 2 && (precision === 'f32' || precision === 'f64');
}

const bytesOfPrecision = { f32: 4, f64: 8, i32: 4, u8: 1 } as const;

function bytesOf(tensors: readonly TensorSource[]): number {
  return tensors.reduce((sum, { rows, columns, precision }) => sum + rows * columns * bytesOfPrecision[precision], 0);
}
