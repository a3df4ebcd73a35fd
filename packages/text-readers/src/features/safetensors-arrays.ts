// Tensors of a safetensors file as rows of features, of every type that numbers have; the header is read and checked by
// the package of checkpoints.

import { isCheckpointError, listSafetensors, shown } from '@vastmax/checkpoints';
import { sourceOfStored, type NumberType } from '@vastmax/sparse-data';
import { badFeatures, storedRowsOf, type PlacedBytes, type StoredArray } from './stored-arrays.ts';

const typesByName: Readonly<Record<string, NumberType>> = {
  BF16: 'bf16',
  BOOL: 'bool',
  F16: 'f16',
  F32: 'f32',
  F64: 'f64',
  I8: 'i8',
  I16: 'i16',
  I32: 'i32',
  I64: 'i64',
  U8: 'u8',
  U16: 'u16',
  U32: 'u32',
  U64: 'u64',
};

/**
 * The tensors of a file. Reads its header only.
 * @throws SparseDataError `bad-features` for a header that is damaged, or does not fit the file.
 */
export async function readSafetensorsArrays(file: PlacedBytes): Promise<readonly StoredArray[]> {
  const { path, bytes } = file;
  const read = (target: Uint8Array, position: number): Promise<void> => {
    file.read(target, position);
    return Promise.resolve();
  };
  const tensors = await listSafetensors({ path, bytes, read }).catch((error: unknown) => {
    if (!isCheckpointError(error)) throw error;
    throw badFeatures(path, error.message.replace(`safetensors: ${path}`, '').replace(/^:? /, ''), error);
  });
  return tensors.map(({ name, dtype, shape, start, bytes: size }) => ({
    name,
    description: `${dtype} of ${shape.join('x') || 'one number'}`,
    rows: () => {
      const type = Object.hasOwn(typesByName, dtype) ? typesByName[dtype] : undefined;
      const label = `tensor ${shown(name)} `;
      if (type === undefined)
        throw badFeatures(
          path,
          `${label}has the type ${shown(dtype)}; ${Object.keys(typesByName).join(', ')} are read`,
        );
      return sourceOfStored(storedRowsOf(path, { label, type, shape, start, bytes: size }), file.read);
    },
  }));
}
