import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { collectDenseRows, isSparseDataError } from '@vastmax/sparse-data';
import { openFeatures, readVectors, writeNpy } from '@vastmax/text-readers/node';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-features-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const written = JSON.parse(readFileSync(new URL('../fixtures/numpy_arrays.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>;

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function failureOf(path: string, name?: string): Promise<string> {
  try {
    (await openFeatures(path, name === undefined ? {} : { name }))[Symbol.dispose]();
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return `${error.code}: ${error.message.replace(path, 'FILE')}`;
  }
  return 'nothing was thrown';
}

async function numbersOf(path: string, name?: string): Promise<unknown> {
  using file = await openFeatures(path, name === undefined ? {} : { name });
  const { rows, columns, values } = collectDenseRows(file.inputs);
  return [file.isInFile, rows, columns, ...values];
}

const parquet = Buffer.from(
  parquetWriteBuffer({
    columnData: [
      { name: 'id', data: [7, 8] },
      {
        name: 'vector',
        data: [
          [1, 2.5],
          [-3, 0],
        ],
      },
      {
        name: 'ragged',
        data: [
          [1, 2],
          [3, 4, 5],
        ],
      },
    ],
    schema: [
      { name: 'root', num_children: 3 },
      { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
      ...['vector', 'ragged'].flatMap(
        (name) =>
          [
            { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
            { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
            { name: 'element', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
          ] as const,
      ),
    ],
  }),
);

it('knows each format by its first bytes, whatever the name', async () => {
  const bytes = (name: string): Uint8Array => Buffer.from(written[name] ?? '', 'base64');
  expect(await numbersOf(fileOf('a', bytes('f2')))).toEqual([true, 3, 2, 0, 0.25, 0.5, 0.75, 1, 1.25]);
  expect(await numbersOf(fileOf('b', bytes('npz')), 'x')).toEqual([true, 3, 2, 0, 0.25, 0.5, 0.75, 1, 1.25]);
  const header = Buffer.from('{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}');
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(header.length);
  const tensors = Buffer.concat([prefix, header, new Uint8Array(Float32Array.of(1, 2).buffer)]);
  expect(await numbersOf(fileOf('c', tensors))).toEqual([true, 1, 2, 1, 2]);
  expect(await numbersOf(fileOf('d', parquet), 'vector')).toEqual([false, 2, 2, 1, 2.5, -3, 0]);
  expect(await numbersOf(fileOf('e', '[1, 2]\n\n[3, 4.5]\n'))).toEqual([false, 2, 2, 1, 2, 3, 4.5]);
  expect(await numbersOf(fileOf('f', gzipSync('{"v":[1],"text":"a"}\n')), 'v')).toEqual([false, 1, 1, 1]);
});

it('names what is wrong, and where', async () => {
  expect(await failureOf(fileOf('x.npy', 'abc'))).toContain('bad-features: FILE: it begins with "abc"');
  expect(await failureOf(join(folder, 'none.npy'))).toContain('missing-file');
  expect(await failureOf(fileOf('g', parquet))).toContain(
    'which column of a Parquet file has the vectors is to be said',
  );
  expect(await failureOf(fileOf('g', parquet), 'id')).toContain(
    'FILE: row 1: "id" is 7; an array of numbers is needed',
  );
  expect(await failureOf(fileOf('g', parquet), 'ragged')).toContain(
    'FILE: row 2 has 3 numbers, those before it have 2; they must be equal',
  );
  expect(await failureOf(fileOf('h', '[1]\n[1,"2"]\n'))).toContain('FILE: line 2: number 2 is "2"; a number is needed');
  expect(await failureOf(fileOf('h', '[1]\n[]\n'))).toContain('FILE: line 2 has no numbers');
  expect(await failureOf(fileOf('h', '{"a":[1]}\n'))).toContain(
    'line 1 is an object of "a"; say which of them is the vector',
  );
  expect(await failureOf(fileOf('h', '{"a":[1]}\n'), 'b')).toContain('line 1: "b" is missing');
  expect(await failureOf(fileOf('h', '{}\n'), 'constructor')).toContain('line 1: "constructor" is missing');
  expect(await failureOf(fileOf('h', '[1]\n'), 'b')).toContain('an object with "b" is needed');
  expect(await failureOf(fileOf('h', '[1]\n[1e39]\n'))).toBe(
    'non-finite-value: FILE: line 2: number 1 is 1e+39; one that is finite in f32 is needed',
  );
  expect(await failureOf(fileOf('h', '\n'))).toContain('there are no vectors');
  expect(await failureOf(fileOf('h', 'x\n'))).toContain('bad-json');
});

it('a .npy file holds the vectors of any other', async () => {
  const path = fileOf('i', parquet);
  const target = join(folder, 'out.npy');
  for (const precision of ['f32', 'f64'] as const) {
    expect(await writeNpy(target, readVectors(path, { name: 'vector' }), { precision })).toEqual({
      rows: 2,
      columns: 2,
    });
    expect(await numbersOf(target)).toEqual([true, 2, 2, 1, 2.5, -3, 0]);
  }
  const many = async function* (): AsyncGenerator<{ place: string; vector: Float32Array }> {
    for (let row = 0; row < 3000; row++)
      yield { place: `row ${row}`, vector: Float32Array.from({ length: 100 }, (_, i) => row + i) };
    await Promise.resolve();
  };
  await writeNpy(target, many());
  using file = await openFeatures(target);
  const out = new Float32Array(200);
  file.inputs.copyRows(Int32Array.of(2999, 17), out);
  expect([out[0], out[99], out[100]]).toEqual([2999, 3098, 17]);
});
