/** What a checkpoint says of a network beside its weights. */
import { StateError, type JsonObject, type ModuleState } from '@vastmax/linalg-core/state';
import type { BodyChoice } from '../models/body-choice.ts';
import type { NetworkOptions } from './network.ts';

export interface NetworkSizes {
  /** How many different inputs there are: words, items or features. */
  readonly inputs: number;
  /** How often each of the D classes occurred in training. */
  readonly frequencies: Float64Array;
}

/**
 * The `model` part of a checkpoint's configuration, as written by the trainer.
 * @throws RangeError where it describes no network, StateError `state-mismatch` where its body is of another
 * kind.
 */
export function networkOptionsFrom<Kind extends BodyChoice['kind']>(
  configuration: JsonObject,
  kind: Kind,
): NetworkOptions<Extract<BodyChoice, { readonly kind: Kind }>> {
  const found = bodyKindOf(configuration);
  if (found === undefined)
    throw new RangeError(
      "the checkpoint's configuration describes no network: 'model.body.kind' and 'model.output' are missing",
    );
  if (found !== kind)
    throw new StateError('state-mismatch', `the checkpoint's network has the body '${found}', '${kind}' was asked for`);
  // Values are checked one by one where they are used: by the body and by the output layer.
  return configuration['model'] as unknown as NetworkOptions<Extract<BodyChoice, { readonly kind: Kind }>>;
}

/**
 * Which body a checkpoint's network has; undefined where the checkpoint holds none, such as an n-gram language model.
 */
export function bodyKindOf(configuration: JsonObject): string | undefined {
  const model = configuration['model'] as
    { readonly body?: { readonly kind?: unknown } | null; readonly output?: unknown } | null | undefined;
  const kind = model?.body?.kind;
  return typeof kind === 'string' && typeof model?.output === 'object' ? kind : undefined;
}

export function sizesState({ inputs, frequencies }: NetworkSizes): ModuleState {
  return {
    configuration: { inputs, classes: frequencies.length },
    tensors: [
      {
        name: 'frequencies',
        precision: 'f64',
        rows: frequencies.length,
        columns: 1,
        read: (first, count) => Promise.resolve(frequencies.subarray(first, first + count)),
      },
    ],
  };
}

/** @throws StateError `state-mismatch`. */
export async function sizesFrom({ configuration, tensors }: ModuleState): Promise<NetworkSizes> {
  const { inputs } = configuration;
  const source = tensors.find(({ name }) => name === 'frequencies');
  if (typeof inputs !== 'number' || source?.columns !== 1) {
    throw new StateError(
      'state-mismatch',
      `the checkpoint's sizes are ${String(inputs)} inputs and ${source === undefined ? 'no' : `${source.rows}×${source.columns}`} frequencies; a number and D×1 are needed`,
    );
  }
  const frequencies = new Float64Array(source.rows);
  const rowsPerBlock = 65_536;
  for (let first = 0; first < source.rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, source.rows - first);
    frequencies.set((await source.read(first, count)).subarray(0, count), first);
  }
  return { inputs, frequencies };
}
