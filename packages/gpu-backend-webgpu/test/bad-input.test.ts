/**
 * What a caller can ask for that no device can give, beside what the conformance suite, probe.test.ts and
 * webgpu-backend.test.ts ask.
 */
import {
  createMatrixFrom,
  fill,
  gatherRows,
  gemm,
  read,
  readRows,
  scatterAddRows,
  writeIndices,
  writeRows,
} from '@vastmax/linalg-core';
import { interop } from '@vastmax/gpu-backend-webgpu';
import { describe, expect } from 'vitest';
import { gpuTest, numbers } from './gpu-test.ts';

/** The same device, which finds no room for any buffer beyond so many bytes in all. */
function withRoomFor(device: GPUDevice, bytes: number): GPUDevice {
  let taken = 0;
  const overrides: Readonly<Record<PropertyKey, unknown>> = {
    createBuffer: (descriptor: GPUBufferDescriptor) => {
      taken += descriptor.size;
      return device.createBuffer(descriptor);
    },
    popErrorScope: async () => {
      const error = await device.popErrorScope();
      return error ?? (taken > bytes ? { message: 'no more room' } : null);
    },
  };
  return new Proxy(device, {
    get: (target, key) => {
      const value: unknown = Object.hasOwn(overrides, key) ? overrides[key] : Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

describe('a table larger than the device', () => {
  gpuTest('is refused before anything is touched, when no device is so large', async (create) => {
    const backend = await create({ tables: 'device' });
    const before = backend.counters.buffersCreated;
    expect(() => backend.createTable(2 ** 31 - 1, 300)).toThrow(
      'a table of 2147483647×300 is 2576980376400 bytes; at most 274877906944 are tried',
    );
    expect(backend.counters.buffersCreated).toBe(before);
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
    const matrix = backend.createMatrix(1, 2);
    fill(2, matrix);
    expect([...(await read(matrix))]).toEqual([2, 2]);
  });

  gpuTest('fails what is read next, when only the device notices, with the sizes', async (create) => {
    const { device } = await create();
    const backend = await create({
      device: withRoomFor(device, 2 ** 20),
      tables: 'device',
      limits: { maxBufferSize: 2 ** 18 },
    });
    const table = backend.createTable(5000, 64);
    writeRows(numbers(64, 1), 4999, table);
    const failure = {
      name: 'LinalgError',
      code: 'out-of-memory',
      message: expect.stringMatching(/5000×64 table.*the device has no room for it: no more room/),
    };
    await expect(readRows(table, 4999, 1)).rejects.toMatchObject(failure);
    await expect(backend.synchronize()).rejects.toMatchObject(failure);
  });
});

describe('disposal with work in flight', () => {
  gpuTest('of a table on the host that waits for the device gives what was asked for', async (create) => {
    const backend = await create({ tables: 'host' });
    const table = backend.createTable(4, 2);
    const indices = backend.createIndices(2);
    writeIndices(Int32Array.of(3, 1), indices);
    scatterAddRows(createMatrixFrom(backend, 2, 2, [1, 2, 3, 4]), indices, table);
    const reading = readRows(table, 0, 4);
    table[Symbol.dispose]();
    const disposal = backend.dispose();
    expect([...(await reading)]).toEqual([0, 0, 3, 4, 0, 0, 1, 2]);
    await disposal;
    await expect(readRows(table, 0, 4)).rejects.toMatchObject({ code: 'disposed' });
  });

  gpuTest(
    'of operands and of the backend, with nobody waiting, is quiet; what comes after is refused',
    async (create) => {
      const backend = await create();
      const [a, b, out] = [
        createMatrixFrom(backend, 64, 64, numbers(4096, 1)),
        createMatrixFrom(backend, 64, 64, numbers(4096, 2)),
        backend.createMatrix(64, 64),
      ];
      for (let i = 0; i < 5; i++) gemm(a, b, out);
      a[Symbol.dispose]();
      const reading = read(out);
      // Takes the buffer of `a`, which work in flight still reads.
      fill(7, backend.createMatrix(64, 64));
      expect(() => gemm(a, b, out)).toThrow('gemm: a was disposed');
      const expected = numbers(4096, 1)
        .slice(0, 64)
        .reduce((sum, value, p) => sum + value * numbers(4096, 2)[64 * p]!, 0);
      expect((await reading)[0]).toBeCloseTo(expected, 4);
      gemm(b, b, out);
      await backend.dispose();
      expect(() => backend.createMatrix(1, 1)).toThrow('was disposed');
      await expect(read(out)).rejects.toMatchObject({ code: 'disposed' });
    },
  );
});

describe('operands of two devices', () => {
  gpuTest('are refused with a typed error that names both, tables and lists too', async (create) => {
    const [first, second] = [await create(), await create()];
    const table = first.createTable(3, 2);
    const indices = second.createIndices(1);
    const out = first.createMatrix(1, 2);
    const mismatch = (uses: () => void): unknown => {
      try {
        uses();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const refused = {
      name: 'LinalgError',
      code: 'backend-mismatch',
      message: expect.stringContaining(`'${second.name}', out on '${first.name}' (two instances)`),
    };
    expect(
      mismatch(() => {
        gatherRows(table, indices, out);
      }),
    ).toMatchObject(refused);
    expect(
      mismatch(() => {
        gemm(out, second.createMatrix(2, 2), out);
      }),
    ).toMatchObject(refused);
  });

  gpuTest('cannot be smuggled in as a buffer: what is read next says so', async (create) => {
    const [first, second] = [await create(), await create()];
    const { buffer } = interop.bufferOf(createMatrixFrom(second, 2, 2, [1, 2, 3, 4]));
    const foreign = interop.matrixOver(first, buffer, 2, 2);
    const out = first.createMatrix(2, 2);
    // Dawn writes to stderr what no scope catches.
    first.device.pushErrorScope('validation');
    gemm(foreign, foreign, out);
    await expect(read(out)).rejects.toMatchObject({
      name: 'LinalgError',
      code: 'device-lost',
      message: expect.stringContaining('the device rejected a submission'),
    });
    expect(await first.device.popErrorScope()).toMatchObject({
      message: expect.stringContaining('is associated with'),
    });
    expect([...(await read(createMatrixFrom(second, 1, 2, [5, 6])))]).toEqual([5, 6]);
  });
});
