/**
 * A layer's structure in its checkpoint: which class has which place. It is compared, not taken over: the weights of
 * another structure mean nothing here.
 */
import { findTensor, OutputLayerError, type ModuleState, type TensorSource } from '@vastmax/output-layer';

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
 * @throws OutputLayerError `state-mismatch` where the state's tensor differs, naming the first place and both values.
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
      throw new OutputLayerError(
        'state-mismatch',
        `${kind} layer: '${name}' is ${found[i]} for ${first + i} in the state, ${values[first + i]} in the layer; create the layer with the same frequencies or assignment`,
      );
    }
  }
}
