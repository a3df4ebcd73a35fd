/**
 * The structure of a layer in its checkpoint: the position of each class. It is compared, not restored: weights that
 * belong to another structure cannot be used.
 */
import { findTensor, StateError, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';

const valuesPerBlock = 65_536;

/** A list of whole numbers as one column of a saved module. */
export function integerTensor(name: string, values: Int32Array): TensorSource {
  return {
    name,
    precision: 'i32',
    rows: values.length,
    columns: 1,
    read: (first, count) => Promise.resolve(values.slice(first, first + count)),
  };
}

/**
 * @throws StateError `state-mismatch` if the state's tensor differs; the message names the first difference and both
 * values.
 */
export async function checkSameIntegers(
  state: ModuleState,
  name: string,
  values: Int32Array,
  kind: string,
): Promise<void> {
  const tensor = findTensor(state, name, values.length, 1);
  for (let first = 0; first < values.length; first += valuesPerBlock) {
    const count = Math.min(valuesPerBlock, values.length - first);
    const found = await tensor.read(first, count);
    for (let i = 0; i < count; i++) {
      if (found[i] === values[first + i]) continue;
      throw new StateError(
        'state-mismatch',
        `${kind} layer: '${name}' is ${found[i]} for ${first + i} in the state, ${values[first + i]} in the layer; create the layer with the same frequencies or assignment`,
      );
    }
  }
}
