/** A snapshot in memory, as a checkpoint file would hold it: JSON through text, tensors copied block by block. */
import type { JsonObject, ModuleState, TensorSource, TensorValues } from '@vastmax/linalg-core/state';
import type { SavedModel, TrainingSnapshot } from '@vastmax/lm-models';

export interface CapturedSnapshot extends SavedModel {
  /** Every tensor by `module/name`. */
  readonly tensors: ReadonlyMap<string, TensorValues>;
}

function throughJson(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

async function capture(
  source: TensorSource,
): Promise<{ readonly source: TensorSource; readonly values: TensorValues }> {
  const { name, precision, rows, columns } = source;
  const length = rows * columns;
  const values =
    precision === 'f32'
      ? new Float32Array(length)
      : precision === 'f64'
        ? new Float64Array(length)
        : new Int32Array(length);
  for (let first = 0; first < rows; first += 7) {
    const count = Math.min(7, rows - first);
    values.set((await source.read(first, count)).subarray(0, count * columns), first * columns);
  }
  const read = (first: number, count: number): Promise<TensorValues> =>
    Promise.resolve(values.slice(first * columns, (first + count) * columns));
  return { source: { name, precision, rows, columns, read }, values };
}

export async function captureSnapshot(snapshot: TrainingSnapshot): Promise<CapturedSnapshot> {
  const modules = new Map<string, ModuleState>();
  const tensors = new Map<string, TensorValues>();
  for (const [name, state] of Object.entries(snapshot.modules)) {
    const captured = await Promise.all(state.tensors.map(capture));
    modules.set(name, {
      configuration: throughJson(state.configuration),
      tensors: captured.map(({ source }) => source),
    });
    for (const { source, values } of captured) tensors.set(`${name}/${source.name}`, values);
  }
  return {
    configuration: throughJson(snapshot.configuration),
    tensors,
    module: (name) => {
      const state = modules.get(name);
      if (state === undefined) throw new RangeError(`the snapshot has no module '${name}'`);
      return state;
    },
  };
}
