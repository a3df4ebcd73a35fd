/**
 * The options of a layer that is created over ranks, compared before the first call that depends on them: with another
 * seed or another loss on one rank, the layer would train something that no single process would have trained.
 */
import { ArrayChecksum, compareRanks, isCommunicatorError, type Communicator } from '@vastmax/collectives';
import { OutputLayerError } from '@vastmax/output-layer';

/**
 * Numbers, texts and arrays of numbers must be equal, also in objects such as the loss; functions are not compared. A
 * collective, which moves a few hundred bytes to each rank.
 * @throws OutputLayerError `bad-option` on every rank, naming the option, both values and the ranks.
 */
export function compareOptions(communicator: Communicator, kind: string, options: object): void {
  try {
    compareRanks(communicator, 'distributed create', { layer: kind, ...recordOf(options) });
  } catch (error) {
    if (!isCommunicatorError(error) || error.code !== 'mismatch') throw error;
    throw new OutputLayerError('bad-option', error.message, { cause: error });
  }
}

function recordOf(options: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
      if (typeof value === 'function') return [];
      if (typeof value !== 'object' || value === null) return [[name, value]];
      return [[name, isArray(value) ? describeNumbers(value) : recordOf(value)]];
    }),
  );
}

const isArray = (value: object): value is ArrayLike<number> => Array.isArray(value) || ArrayBuffer.isView(value);

function describeNumbers(values: ArrayLike<number>): string {
  const hash = new ArrayChecksum();
  hash.add(Float64Array.from(values));
  return `${values.length} numbers, checksum ${hash.value}`;
}
