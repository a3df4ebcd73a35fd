/**
 * A layer's structure in its checkpoint: which class has which place. It is compared, not taken over: the weights of
 * another structure mean nothing here.
 */
import { findTensor, StateError, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';

const valuesPerBlock = 65_536;

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
 * @throws StateError `state-mismatch` where the state's tensor differs, naming the first place and both values.
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
