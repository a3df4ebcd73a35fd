import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { collectDenseRows, isSparseDataError } from '@vastmax/sparse-data';
import {
  chooseArray,
  isNpy,
  isZip,
  placedBytes,
  readNpyArray,
  readNpzArrays,
  readSafetensorsArrays,
  type PlacedBytes,
  type StoredArray,
} from '@vastmax/text-readers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const written = JSON.parse(readFileSync(new URL('../fixtures/numpy_arrays.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>;
const fileOf = (name: string): Uint8Array => Uint8Array.from(Buffer.from(written[name] ?? '', 'base64'));
const inflateRaw = (bytes: Uint8Array, limit: number): Uint8Array =>
  inflateRawSync(bytes, { maxOutputLength: Math.max(1, limit) });

async function failureOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
  return 'nothing was thrown';
}

const npy = (bytes: Uint8Array): StoredArray => readNpyArray(placedBytes('x.npy', bytes));
const numbersOf = (array: StoredArray): unknown => {
  const { rows, columns, values } = collectDenseRows(array.rows());
  return [rows, columns, ...values];
};

describe('.npy', () => {
  const table = [0, 0.25, 0.5, 0.75, 1, 1.25];
  it.each([
    ['f4', [3, 2, ...table]],
    ['f8', [3, 2, ...table]],
    ['f2', [3, 2, ...table]],
    ['big', [3, 2, ...table]],
    ['i8', [3, 2, 0, 1, 2, 3, 4, 5]],
    ['vector', [3, 1, 0.25, 0.75, 1.25]],
    ['cube', [3, 2, 0, 1, 2, 3, 4, 5]],
  ])('%s as NumPy wrote it', (name, numbers) => {
    expect(isNpy(fileOf(name))).toBe(true);
    expect(numbersOf(npy(fileOf(name)))).toEqual(numbers);
  });

  it.each([
    ['fortran', 'x.npy: holds its columns one after the other (fortran_order); save it with numpy.ascontiguousarray'],
    ['number', 'x.npy: is one number without a dimension'],
    ['fields', 'x.npy: has numbers of type several fields; f2, f4,'],
    ['text', 'x.npy: has numbers of type "<U1"'],
  ])('%s is refused with what would be right', async (name, problem) => {
    expect(await failureOf(() => npy(fileOf(name)))).toContain(`bad-features: ${problem}`);
  });

  const withHeader = (header: string, data = new Uint8Array(24)): Uint8Array => {
    const head = Buffer.alloc(10 + header.length);
    head.write('\x93NUMPY\x01\x00', 'latin1');
    head.writeUInt16LE(header.length, 8);
    head.write(header, 10, 'latin1');
    return Buffer.concat([head, data]);
  };
  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";

  it('is read whatever the order of the header, and compared with the file', async () => {
    const other = "{'shape': (3, 2,), 'fortran_order': False, 'descr': '<f4'}  \n";
    expect(numbersOf(npy(withHeader(other)))).toEqual([3, 2, 0, 0, 0, 0, 0, 0]);
    for (const [header, problem] of [
      [good.replace('(3,', '(4,'), 'of 4x2 f32 needs 32 bytes from byte 69 on; there are 24'],
      [good.replace('(3,', '(2,'), 'of 2x2 f32 needs 16 bytes from byte 69 on; there are 24'],
      [good.replace('(3,', '(9007199254740993,'), 'has the shape'],
      [good.replace('(3,', '(4503599627370496, 4096,'), 'fewer than 2^31 rows and columns are needed'],
      [good.replace(', 2)', ', 0)'), 'has the shape 3x0; rows of at least 1 number are needed'],
      [good.replace('(3, 2)', "__import__('os')"), 'a dictionary of descr, fortran_order and shape is needed'],
      [good.replace('False', 'None'), 'a dictionary of descr'],
      [good.replace("'<f4'", "'<f3'"), 'has numbers of type "<f3"'],
      [good.slice(1), 'a dictionary of descr'],
      ['', 'a dictionary of descr'],
    ] as const)
      expect(await failureOf(() => npy(withHeader(header)))).toContain(problem);
    const long = Buffer.from(withHeader(good));
    long.writeUInt16LE(0xffff, 8);
    expect(await failureOf(() => npy(long))).toContain('says that its header has 65535 bytes; at most');
    const version = Buffer.from(withHeader(good));
    version[6] = 9;
    expect(await failureOf(() => npy(version))).toContain('has version 9.0 of .npy; 1.0, 2.0 and 3.0 are read');
  });

  it('cut off at any length it says both sizes', async () => {
    const whole = fileOf('f4');
    for (let length = 0; length < whole.length; length++)
      expect(await failureOf(() => npy(whole.subarray(0, length)))).toMatch(/^bad-features: x\.npy: .*\d/s);
  });
});

describe('.npz', () => {
  const npz = (name: string): readonly StoredArray[] =>
    readNpzArrays(placedBytes('x.npz', fileOf(name)), { inflateRaw });

  it('has arrays by name; the only one of numbers needs none', async () => {
    expect(isZip(fileOf('npz'))).toBe(true);
    expect(npz('npz').map(({ name }) => name)).toEqual(['x', 'names']);
    expect(numbersOf(chooseArray('x.npz', npz('npz')))).toEqual([3, 2, 0, 0.25, 0.5, 0.75, 1, 1.25]);
    expect(await failureOf(() => chooseArray('x.npz', npz('npz'), 'names').rows())).toContain(
      'bad-features: x.npz: array "names.npy" has numbers of type "<U1"',
    );
    expect(await failureOf(() => chooseArray('x.npz', npz('npz_two')))).toContain(
      'there are 2 arrays of numbers; name one of them: "x" (176 bytes), "y" (176 bytes)',
    );
    const fortran = npz('npz_fortran');
    expect(await failureOf(() => chooseArray('x.npz', fortran))).toContain(
      'there are 2 arrays of numbers; name one of them: "X" (176 bytes), "y" (152 bytes)',
    );
    expect(numbersOf(chooseArray('x.npz', fortran, 'y'))).toEqual([3, 1, 0.25, 0.75, 1.25]);
    expect(await failureOf(() => chooseArray('x.npz', fortran, 'X').rows())).toContain('fortran_order');
    expect(await failureOf(() => chooseArray('x.npz', npz('npz_two'), 'z'))).toContain(
      'there is no array "z"; it has "x"',
    );
  });

  it('decompresses what savez_compressed wrote, to no more than it says', async () => {
    const values = numbersOf(chooseArray('x.npz', npz('npz_compressed'))) as number[];
    expect(values.slice(0, 6)).toEqual([3, 100, 0, 0.25, 0, 0.25]);
    expect(await failureOf(() => readNpzArrays(placedBytes('x.npz', fileOf('npz_compressed')))[0]?.rows())).toContain(
      'save it with numpy.savez instead of savez_compressed',
    );
    const bytes = Buffer.from(fileOf('npz_compressed'));
    // The size in the directory.
    const at = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24;
    for (const [size, problem] of [
      [2 ** 31, 'is said to have 2147483648 bytes'],
      [5, 'cannot be decompressed to its 5 bytes'],
      [4000, 'is said to have 4000 bytes; 1328 were found'],
    ] as const) {
      bytes.writeUInt32LE(size, at);
      expect(await failureOf(() => readNpzArrays(placedBytes('x.npz', bytes), { inflateRaw })[0]?.rows())).toContain(
        problem,
      );
    }
    bytes.writeUInt32LE(1328, at);
    bytes.writeUInt32LE(0x12345678, at - 8);
    expect(await failureOf(() => readNpzArrays(placedBytes('x.npz', bytes), { inflateRaw })[0]?.rows())).toContain(
      'array "x.npy" does not have the checksum that it was saved with; it is damaged',
    );
  });

  it('bytes in memory end where they end', async () => {
    expect(await failureOf(() => placedBytes('x', new Uint8Array(4)).read(new Uint8Array(3), 2))).toBe(
      'bad-features: x: 3 bytes from byte 2 on are asked for; there are 4 in all',
    );
  });

  it('gives rows inside the file or a typed error, whatever its bytes', async () => {
    const whole = Buffer.from(fileOf('npz'));
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(whole.length)),
        async (edits, length) => {
          const bytes = Buffer.from(whole);
          for (const { at, byte } of edits) bytes[at] = byte;
          const file = length === null ? bytes : bytes.subarray(0, length);
          const failure = await failureOf(() => {
            for (const array of readNpzArrays(placedBytes('x.npz', file), { inflateRaw })) {
              const { values } = collectDenseRows(array.rows());
              expect(values.byteLength).toBeLessThanOrEqual(8 * file.length);
              read++;
            }
          });
          if (failure !== 'nothing was thrown') expect(failure).toMatch(/^bad-features: x\.npz/);
        },
      ),
      { numRuns: 500 },
    );
    expect(read).toBeGreaterThan(0);
  });
});

describe('safetensors', () => {
  function file(header: object, data: Uint8Array): PlacedBytes {
    const text = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(text.length));
    return placedBytes('x.safetensors', Buffer.concat([prefix, text, data]));
  }
  const data = Buffer.alloc(44);
  data.writeUInt16LE(0x3fc0, 0);
  data.writeBigInt64LE(-7n, 4);
  data.writeFloatLE(2.5, 16);
  const header = {
    __metadata__: { format: 'pt' },
    half: { dtype: 'BF16', shape: [2, 1], data_offsets: [0, 4] },
    whole: { dtype: 'I64', shape: [1], data_offsets: [4, 12] },
    fp8: { dtype: 'F8_E4M3', shape: [2, 2], data_offsets: [12, 16] },
    cube: { dtype: 'F32', shape: [1, 2, 2], data_offsets: [16, 32] },
    scalar: { dtype: 'F32', shape: [], data_offsets: [32, 36] },
    odd: { dtype: 'F4', shape: [3, 5], data_offsets: [36, 44] },
  };

  it('reads BF16, I64, 1-D and 3-D, and refuses a tensor alone', async () => {
    const arrays = await readSafetensorsArrays(file(header, data));
    const array = (name: string): StoredArray => chooseArray('x.safetensors', arrays, name);
    expect(numbersOf(array('half'))).toEqual([2, 1, 1.5, 0]);
    expect(numbersOf(array('whole'))).toEqual([1, 1, -7]);
    expect(numbersOf(array('cube'))).toEqual([1, 4, 2.5, 0, 0, 0]);
    expect(await failureOf(() => array('fp8').rows())).toContain('tensor "fp8" has the type "F8_E4M3"; BF16,');
    expect(await failureOf(() => array('odd').rows())).toContain('tensor "odd" has the type "F4"');
    expect(await failureOf(() => array('scalar').rows())).toContain('is one number without a dimension');
    expect(await failureOf(() => chooseArray('x.safetensors', arrays))).toContain('"fp8" (F8_E4M3 of 2x2)');
  });

  it('compares every tensor with the file', async () => {
    const one = (entry: object, bytes = 8): Promise<string> =>
      failureOf(() => readSafetensorsArrays(file({ a: entry }, new Uint8Array(bytes))));
    expect(await one({ dtype: 'I64', shape: [2], data_offsets: [0, 8] })).toContain(
      'bad-features: x.safetensors: tensor "a" of 2 I64 needs 16 bytes; its data_offsets [0, 8] span 8',
    );
    expect(await one({ dtype: 'X', shape: [2], data_offsets: [8, 0] })).toContain('span -8');
    expect(await one({ dtype: 'F32', shape: [-1], data_offsets: [0, 8] })).toContain('whole numbers from 0 are needed');
    expect(await one({ dtype: 1, shape: [2], data_offsets: [0, 8] })).toContain('has the dtype 1; a string is needed');
    expect(await one({ dtype: 'F32', shape: [2], data_offsets: [0, 8] }, 9)).toContain(
      '1 bytes follow the last tensor',
    );
    expect(await one({ dtype: 'F32', shape: [2], data_offsets: [0, 8] }, 7)).toContain('is truncated');
    expect(await one({ dtype: 'F32', shape: [2 ** 52, 2 ** 52], data_offsets: [0, 8] })).toContain('needs');
  });
});
