import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { collectDenseRows, sourceOfStored, type ReadBytes } from '../../src/dense/dense-rows.ts';
import { bytesOfNumber, decodeNumbers, type NumberType } from '../../src/dense/stored-numbers.ts';
import { openPlacedFile, storedRowsOfFile } from '../../src/node/stored-file.ts';
import { thrownBy } from '../thrown-by.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-stored-rows-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Write = (view: DataView, at: number, value: number, little: boolean) => void;
const writers: Readonly<Record<NumberType, readonly [Write, readonly number[]]>> = {
  f16: [(view, at, value, little) => view.setUint16(at, value === 1.5 ? 0x3e00 : 0xfc00, little), [1.5, -Infinity]],
  bf16: [(view, at, value, little) => view.setUint16(at, value === 1.5 ? 0x3fc0 : 0xc000, little), [1.5, -2]],
  f32: [(view, at, value, little) => view.setFloat32(at, value, little), [1.5, -(2 ** 70)]],
  f64: [(view, at, value, little) => view.setFloat64(at, value, little), [Math.E, -1e200]],
  i8: [(view, at, value) => view.setInt8(at, value), [-128, 127]],
  u8: [(view, at, value) => view.setUint8(at, value), [0, 255]],
  i16: [(view, at, value, little) => view.setInt16(at, value, little), [-32768, 7]],
  u16: [(view, at, value, little) => view.setUint16(at, value, little), [65535, 7]],
  i32: [(view, at, value, little) => view.setInt32(at, value, little), [-(2 ** 31), 7]],
  u32: [(view, at, value, little) => view.setUint32(at, value, little), [2 ** 32 - 1, 7]],
  i64: [(view, at, value, little) => view.setBigInt64(at, BigInt(value), little), [-(2 ** 53), 7]],
  u64: [(view, at, value, little) => view.setBigUint64(at, BigInt(value), little), [2 ** 60, 7]],
  bool: [(view, at, value) => view.setUint8(at, value), [0, 1]],
};

it('decodes every type in either order of bytes, at aligned places and others', () => {
  for (const [type, [write, values]] of Object.entries(writers) as [NumberType, (typeof writers)['f32']][]) {
    const size = bytesOfNumber[type];
    for (const bigEndian of [false, true])
      for (const shift of [0, 1]) {
        const bytes = new Uint8Array(shift + 2 * size).subarray(shift);
        const view = new DataView(bytes.buffer, shift);
        values.forEach((value, i) => {
          write(view, i * size, value, !bigEndian);
        });
        const out = new Float64Array(3);
        decodeNumbers({ type, bigEndian }, bytes, 2, out, 1);
        expect([type, ...out]).toEqual([type, 0, ...values]);
      }
  }
});

it('reads rows that follow each other together, and others each at its place', () => {
  const bytes = new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => i).buffer);
  const reads: number[][] = [];
  const read: ReadBytes = (into, position) => {
    reads.push([position, into.length]);
    into.set(bytes.subarray(position, position + into.length));
  };
  const { copyRows } = sourceOfStored({ rows: 4, columns: 3, start: 0, type: 'f32' }, read);
  const out = new Float32Array(9);
  copyRows(Int32Array.of(1, 2, 0), out);
  expect([...out]).toEqual([3, 4, 5, 6, 7, 8, 0, 1, 2]);
  expect(reads).toEqual([
    [12, 24],
    [0, 12],
  ]);
});

it('rows stay in their file, which must not change', async () => {
  const path = join(folder, 'rows');
  const values = Float64Array.from({ length: 30_000 }, (_, i) => i + 0.25);
  writeFileSync(path, Buffer.concat([Buffer.from([1, 2, 3]), new Uint8Array(values.buffer)]));
  using file = openPlacedFile(path);
  const source = storedRowsOfFile(file, { rows: 10_000, columns: 3, start: 3, type: 'f64' });
  expect(source.precision).toBe('f64');
  expect(collectDenseRows(source).values).toEqual(values);
  expect(await thrownBy(() => storedRowsOfFile(file, { rows: 10_001, columns: 3, start: 3, type: 'f64' }))).toContain(
    'has 240003 bytes; 10001 rows of 3 f64 from byte 3 on need 240027',
  );
  appendFileSync(path, 'x');
  expect(await thrownBy(() => collectDenseRows(source))).toContain('has changed since it was opened');
  expect(await thrownBy(() => openPlacedFile(join(folder, 'none')))).toContain('missing-file: there is no file');
  expect(await thrownBy(() => openPlacedFile(folder))).toContain('is a directory; a regular file is needed');
});
