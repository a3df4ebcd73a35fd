import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { arrays, bytesOf, computedTensor, contentOf, failureOf, tensorOf } from '@vastmax/checkpoints/testing';
import type { TensorPrecision, TensorSource } from '@vastmax/linalg-core/state';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensorsFile, writeSafetensorsFile } from './fixtures/safetensors-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-safetensors-'));
const path = join(folder, 'tensors.safetensors');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The format in ten lines, as its own page describes it: what another program would read. */
function parseIndependently(file: Buffer): {
  metadata: unknown;
  tensors: Record<string, { dtype: string; shape: number[]; bytes: string }>;
} {
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = Object.entries(entries).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => {
      const size = { F64: 8, U8: 1 }[dtype] ?? 4;
      expect((8 + length + begin) % size, `${name} is aligned`).toBe(0);
      return [name, { dtype, shape, bytes: file.toString('hex', 8 + length + begin, 8 + length + end) }] as const;
    },
  );
  return { metadata, tensors: Object.fromEntries(tensors) };
}

/** Any finite bit pattern: denormals, -0, the largest. */
const finite = {
  f32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  f64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  u8: fc.integer({ min: 0, max: 255 }),
};

const anyTensor = fc.constantFrom<TensorPrecision>('f32', 'f64', 'i32', 'u8').chain((precision) =>
  fc.tuple(fc.string({ unit: 'grapheme' }), fc.nat(4), fc.nat(4)).chain(([name, rows, columns]) =>
    fc
      .array(finite[precision], { minLength: rows * columns, maxLength: rows * columns })
      .map((values): TensorSource => ({
        ...tensorOf(name, arrays[precision].from(values), columns, precision),
        rows,
      })),
  ),
);

describe('safetensors', () => {
  it('gives back every tensor bit for bit, to its own reader and to another', async () => {
    const tensors = fc
      .uniqueArray(anyTensor, { maxLength: 5, selector: ({ name }) => name })
      .filter((each) => each.every(({ name }) => !name.startsWith('__')));
    const metadata = fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      fc.string({ unit: 'grapheme' }),
      { maxKeys: 3, noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (each, strings) => {
        const digest = await writeSafetensorsFile(path, each, { metadata: strings });
        const file = readFileSync(path);
        expect(digest).toEqual({ bytes: file.length, sha256: createHash('sha256').update(file).digest('hex') });
        expect(Number(file.readBigUInt64LE(0)) % 8).toBe(0);
        const other = parseIndependently(file);
        expect(other.metadata).toEqual(strings);
        await using opened = await openSafetensorsFile(path);
        expect(opened.bytes).toBe(file.length);
        expect(Object.fromEntries(opened.metadata)).toEqual(strings);
        const byName = new Map(opened.tensors.map((tensor) => [tensor.name, tensor]));
        expect(byName.size).toBe(each.length);
        for (const tensor of each) {
          const back = byName.get(tensor.name);
          expect(back && (await contentOf(back))).toEqual(await contentOf(tensor));
          const bytes = bytesOf(await tensor.read(0, tensor.rows)).toString('hex');
          expect(other.tensors[tensor.name]).toEqual({
            dtype: tensor.precision.toUpperCase(),
            shape: [tensor.rows, tensor.columns],
            bytes,
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps -0, denormals and extremes', async () => {
    const f32 = Float32Array.of(-0, 2 ** -149, -(2 ** -149), 3.4028234663852886e38, 1 / 3, 0);
    const f64 = Float64Array.of(-0, 5e-324, -Number.MAX_VALUE, 1 / 3);
    await writeSafetensorsFile(path, [
      tensorOf('a', f32, 3),
      tensorOf('b', f64, 2, 'f64'),
      tensorOf('c', Int32Array.of(-(2 ** 31), 2 ** 31 - 1), 1, 'i32'),
    ]);
    await using file = await openSafetensorsFile(path);
    expect(file.tensors.map(({ name, rows, columns, precision }) => [name, rows, columns, precision])).toEqual([
      ['a', 2, 3, 'f32'],
      ['b', 2, 2, 'f64'],
      ['c', 2, 1, 'i32'],
    ]);
    expect(await Promise.all(file.tensors.map(({ read, rows }) => read(0, rows)))).toEqual([
      f32,
      f64,
      Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
    ]);
  });

  it('streams a table of 300,000 rows by blocks, and reads any rows of it', async () => {
    const valueAt = (at: number): number => (at % 2 === 0 ? 1 : -1) * at;
    const table = computedTensor('table', 300_000, 8, valueAt);
    const seen: [number, number][] = [];
    const { bytes } = await writeSafetensorsFile(path, [table], { onProgress: (...each) => seen.push(each) });
    expect(table.largest).toBe(2 ** 17);
    expect(seen.length).toBe(4);
    expect(seen.at(-1)).toEqual([bytes, bytes]);
    await using file = await openSafetensorsFile(path);
    const [back] = file.tensors;
    for (const [first, count] of [
      [0, 1],
      [131_071, 2],
      [299_999, 1],
      [150_000, 1000],
      [300_000, 0],
    ] as const) {
      expect(await back?.read(first, count)).toEqual(
        Float32Array.from({ length: count * 8 }, (_, at) => valueAt(first * 8 + at)),
      );
    }
    const several = await Promise.all([5, 6, 7].map((row) => back?.read(row, 1)));
    expect(several.map((values) => values?.[0])).toEqual([40, 48, 56]);
    for (const [first, count] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, 300_001],
      [300_000, 1],
      [0, Number.NaN],
      [2 ** 53, 2 ** 53],
    ] as const) {
      expect((await failureOf(() => back?.read(first, count))).code).toBe('bad-argument');
    }
    await file.close();
    await file.close();
    expect(await failureOf(() => back?.read(0, 1))).toMatchObject({
      code: 'closed',
      message: `checkpoint: ${path} is closed; read its tensors before closing it`,
    });
  });

  it('reads tensors that another writer left unaligned', async () => {
    const header = '{"a":{"dtype":"F64","shape":[1,2],"data_offsets":[0,16]}}';
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(header.length));
    expect(header.length % 8).not.toBe(0);
    writeFileSync(path, Buffer.concat([prefix, Buffer.from(header), bytesOf(Float64Array.of(1.5, -2))]));
    await using file = await openSafetensorsFile(path);
    expect(await file.tensors[0]?.read(0, 1)).toEqual(Float64Array.of(1.5, -2));
  });

  describe('leaves the file as it was', () => {
    const good = Float32Array.of(1, 2, 3);
    const attempt = async (
      ...args: Parameters<typeof writeSafetensorsFile> extends [string, ...infer Rest] ? Rest : never
    ): Promise<{ error: unknown }> => {
      await writeSafetensorsFile(path, [tensorOf('good', good, 1)]);
      const before = readFileSync(path);
      const error: unknown = await writeSafetensorsFile(path, ...args).catch((each: unknown) => each);
      expect(readFileSync(path).equals(before)).toBe(true);
      expect(readdirSync(folder)).toEqual(['tensors.safetensors']);
      return { error };
    };

    it.each([
      [Number.NaN, 'f32'],
      [Infinity, 'f64'],
      [-Infinity, 'f32'],
    ] as const)('for %d, naming its place', async (value, precision) => {
      const values = arrays[precision].from(Array.from({ length: 21 }, (_, at) => (at === 16 ? value : at)));
      expect((await attempt([tensorOf('w', values, 3, precision)])).error).toMatchObject({
        code: 'non-finite',
        message: `writeSafetensors: tensor w: the value at row 5, column 1 is ${value}; only finite values are saved, and what was saved before is untouched`,
      });
    });

    it('counts rows over all blocks', async () => {
      const { error } = await attempt([
        computedTensor('w', 300_000, 8, (at) => (at === 290_000 * 8 + 7 ? Number.NaN : 0)),
      ]);
      expect(error).toMatchObject({
        code: 'non-finite',
        message: expect.stringContaining('row 290000, column 7') as string,
      });
    });

    it('for arguments that do not fit', async () => {
      const plain = tensorOf('w', good, 1);
      const bad: readonly (readonly [TensorSource[], string])[] = [
        [[plain, plain], 'there are two tensors of this name'],
        [[{ ...plain, name: '__proto__' }], 'the name __proto__ is reserved'],
        [[{ ...plain, name: '__metadata__' }], 'the name __metadata__ is reserved'],
        [[{ ...plain, rows: -1 }], 'its shape is -1x1'],
        [[{ ...plain, columns: 1.5 }], 'its shape is 3x1.5'],
        [
          [
            { ...plain, rows: 2 ** 50 },
            { ...plain, name: 'v', rows: 2 ** 52 },
          ],
          'at most 2^53',
        ],
        [[{ ...plain, precision: 'f16' as 'f32' }], 'precision is f16'],
        [
          [{ ...plain, read: () => Promise.resolve(Float64Array.of(1, 2, 3)) }],
          'gave 3 values in a Float64Array; 3 in a Float32Array are needed',
        ],
        [[{ ...plain, read: () => Promise.resolve(good.subarray(1)) }], 'gave 2 values in a Float32Array; 3 in a'],
      ];
      for (const [tensors, message] of bad) {
        expect((await attempt(tensors)).error).toMatchObject({
          code: 'bad-argument',
          message: expect.stringContaining(message) as string,
        });
      }
    });

    it('for what a tensor, a callback or a signal throws, passed on', async () => {
      const own = new TypeError('mine');
      const late = computedTensor('w', 300_000, 8, (at) => {
        if (at > 2_000_000) throw own;
        return 0;
      });
      expect((await attempt([late])).error).toBe(own);
      expect(
        (
          await attempt([tensorOf('w', good, 1)], {
            onProgress: () => {
              throw own;
            },
          })
        ).error,
      ).toBe(own);
      expect((await attempt([tensorOf('w', good, 1)], { signal: AbortSignal.abort(own) })).error).toBe(own);
      const controller = new AbortController();
      const aborting = computedTensor('w', 300_000, 8, (at) => {
        if (at === 2_000_000) controller.abort(own);
        return 0;
      });
      expect((await attempt([aborting], { signal: controller.signal })).error).toBe(own);
    });
  });

  it('says why it cannot write, with the cause', async () => {
    // A path under a regular file: the one folder that root, as whom some test machines run, cannot write to either.
    writeFileSync(path, '');
    const below = join(path, 'below.safetensors');
    const error = await failureOf(() => writeSafetensorsFile(below, []));
    expect(error).toMatchObject({ code: 'write-failed', cause: { code: 'ENOTDIR' } });
    expect(error.message).toContain(`${below} was not written: ENOTDIR`);
  });

  it('says what is wrong with a path', async () => {
    expect((await failureOf(() => openSafetensorsFile(join(folder, 'absent')))).code).toBe('missing');
    expect((await failureOf(() => openSafetensorsFile(folder))).message).toContain('is not a regular file');
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    expect(await failureOf(() => openSafetensorsFile(loop))).toMatchObject({
      code: 'read-failed',
      cause: { code: 'ELOOP' },
    });
    rmSync(loop);
  });
});
