/**
 * What the conformance suite does not know of: counters, limits, loss, interop with an application, and where tables
 * lie.
 */
import {
  affine,
  axpy,
  createMatrixFrom,
  fill,
  gatherRows,
  gemm,
  growTable,
  read,
  readRows,
  reduce,
  scatterAddRows,
  scatterRows,
  solve,
  symmetricRank2Update,
  unary,
  write,
  writeIndices,
  writeRows,
  type Backend,
  type FloatArray,
} from '@vastmax/linalg-core';
import { interop, type WebGpuBackend } from '@vastmax/gpu-backend-webgpu';
import { describe, expect } from 'vitest';
import { gpuTest, numbers } from './gpu-test.ts';

/** Something like a training step: rows in, products, a function, a small system, rows out. */
function prepareStep(backend: Backend): (step: number) => void {
  const table = backend.createTable(500, 20);
  writeRows(numbers(10_000, 1), 0, table);
  const weights = createMatrixFrom(backend, 20, 20, numbers(400, 2));
  const indices = backend.createIndices(32);
  const [rows, hidden, sums, system, solution] = [
    [32, 20],
    [32, 20],
    [1, 20],
    [20, 20],
    [20, 20],
  ].map(([m = 0, n = 0]) => backend.createMatrix(m, n));
  const condition = backend.createMatrix(1, 1);
  if (!rows || !hidden || !sums || !system || !solution) throw new Error('five matrices were made');
  return (step) => {
    writeIndices(
      Int32Array.from({ length: 32 }, (_, i) => (i * 37 + step * 11) % 500),
      indices,
    );
    write(numbers(400, step), weights);
    gatherRows(table, indices, rows);
    gemm(rows, weights, hidden, { alpha: 1 / (step + 1) });
    unary('tanh', hidden, hidden);
    reduce('sum', hidden, sums);
    fill(0, system);
    symmetricRank2Update(rows, rows, system, { alpha: 0.01 });
    solve(system, weights, solution, condition);
    affine(hidden, 0.5 / (step + 1), 0, hidden);
    scatterAddRows(hidden, indices, table, { scale: -0.1 * step });
  };
}

function difference(after: WebGpuBackend['counters'], before: WebGpuBackend['counters']): WebGpuBackend['counters'] {
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - (before[name as keyof typeof before] as number)]),
  ) as never;
}

describe('a repeated step', () => {
  gpuTest('creates nothing after warm-up, reads nothing, and is one submission', async (create) => {
    const backend = await create();
    const step = prepareStep(backend);
    for (let warmUp = 0; warmUp < 2; warmUp++) {
      step(warmUp);
      await backend.synchronize();
    }
    const before = { ...backend.counters };
    for (let repeated = 2; repeated < 5; repeated++) {
      step(repeated);
      await backend.synchronize();
    }
    const { dispatches, bytesUploaded, ...rest } = difference(backend.counters, before);
    expect(rest).toEqual({ submits: 3, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0, reads: 0 });
    expect(dispatches / 3).toBeLessThanOrEqual(16);
    // 400 numbers, 32 indices as they are and grouped, and 256 bytes of uniforms a dispatch.
    expect(bytesUploaded / 3).toBeLessThanOrEqual(1600 + 5 * 4 * 32 + 256 * 16);
  });

  gpuTest('shares its submission with the reads of the same turn', async (create) => {
    const backend = await create();
    const matrices = [1, 2, 3].map((value) => createMatrixFrom(backend, 2, 2, new Float32Array(4).fill(value)));
    await Promise.all(matrices.map((matrix) => read(matrix)));
    const before = { ...backend.counters };
    const got = await Promise.all(matrices.map((matrix) => read(matrix)));
    expect(got.map((values) => values[3])).toEqual([1, 2, 3]);
    expect(difference(backend.counters, before)).toMatchObject({ submits: 1, reads: 3, buffersCreated: 0 });
  });

  gpuTest('may be longer than a submission has room for', async (create) => {
    const backend = await create();
    const x = backend.createMatrix(3, 3);
    const indices = backend.createIndices(2);
    const one = createMatrixFrom(backend, 2, 3, new Float32Array(6).fill(1));
    for (let round = 0; round < 1500; round++) {
      writeIndices(Int32Array.of(round % 3, 0), indices);
      scatterAddRows(one, indices, x);
    }
    expect([...(await read(x))]).toEqual([2000, 2000, 2000, 500, 500, 500, 500, 500, 500]);
    expect(backend.counters.submits).toBe(2);
  });
});

/** Everything that moves rows, over a table of several pieces, and what came out of it. */
async function moveRows(backend: Backend): Promise<readonly FloatArray[]> {
  const table = backend.createTable(300, 7);
  writeRows(numbers(2100, 5), 0, table);
  const list = Int32Array.from({ length: 64 }, (_, i) => (i * i * 7 + (i % 3)) % 300);
  const indices = backend.createIndices(64);
  writeIndices(list, indices);
  const source = createMatrixFrom(backend, 64, 7, numbers(448, 6));
  const out = backend.createMatrix(64, 7);
  const results: Promise<FloatArray>[] = [];
  scatterAddRows(source, indices, table, { scale: 0.3 });
  results.push(readRows(table, 0, 300));
  gatherRows(table, indices, out);
  // Changed while a table on the host is still waiting for the device: what was called must not see it.
  write(numbers(448, 7), source);
  writeIndices(
    list.map((row) => 299 - row),
    indices,
  );
  unary('tanh', out, out);
  scatterRows(out, indices, table);
  growTable(table, 777);
  writeRows(numbers(70, 8), 700, table);
  scatterAddRows(source, indices, table, { scale: -0.7 });
  gatherRows(table, indices, out);
  results.push(read(out), readRows(table, 0, 777), readRows(table, 255, 10));
  const finished = await Promise.all(results);
  table[Symbol.dispose]();
  await backend.synchronize();
  return finished;
}

describe('tables', () => {
  gpuTest('give the same bits in one buffer, in many, and in host memory', async (create) => {
    const expected = await moveRows(await create({ tables: 'device' }));
    // 36 rows of 7 a buffer.
    const pieces = await moveRows(await create({ tables: 'device', limits: { maxBufferSize: 1024 * 9 } }));
    const host = await moveRows(await create({ tables: 'host' }));
    expect(pieces).toEqual(expected);
    expect(host).toEqual(expected);
  });

  gpuTest('of 1,000,000 rows of 300 fit the default limit of 128 MiB a binding', async (create) => {
    const backend = await create({ tables: 'device', limits: { maxStorageBufferBindingSize: 128 * 2 ** 20 } });
    const table = backend.createTable(1_000_000, 300);
    const rows = Int32Array.of(999_999, 0, 111_848, 111_847, 500_000);
    const indices = backend.createIndices(5);
    writeIndices(rows, indices);
    const source = createMatrixFrom(backend, 5, 300, numbers(1500, 3));
    scatterAddRows(source, indices, table);
    const out = backend.createMatrix(5, 300);
    gatherRows(table, indices, out);
    expect(await read(out)).toEqual(numbers(1500, 3));
    expect(await readRows(table, 999_999, 1)).toEqual(numbers(1500, 3).slice(0, 300));
    expect(backend.memory().bytes).toBeGreaterThan(1.2e9);
  });

  gpuTest('too wide for a buffer are refused with both sizes', async (create) => {
    const backend = await create({ tables: 'device', limits: { maxBufferSize: 4096 } });
    expect(() => backend.createTable(1, 1025)).toThrow(
      'a table row of 1025 columns is 4100 bytes, a buffer here may have 4096',
    );
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
  });
});

describe('limits', () => {
  gpuTest('refuse a matrix before anything is touched, with both sizes', async (create) => {
    const backend = await create({ limits: { maxStorageBufferBindingSize: 2 ** 20 } });
    const error = expect(() => backend.createMatrix(1024, 257));
    error.toThrow('createMatrix: 1024×257 is 1052672 bytes, a buffer here may have 1048576');
    expect(backend.memory().bytes).toBe(0);
    const largest = backend.createMatrix(1024, 256);
    fill(2, largest);
    const sum = backend.createMatrix(1, 1);
    reduce('sum', largest, sum);
    expect([...(await read(sum))]).toEqual([2 ** 19]);
  });

  gpuTest('must be sizes', async (create) => {
    await expect(create({ limits: { maxBufferSize: -1 } })).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('maxBufferSize'),
    });
    await expect(create({ tables: 'elsewhere' as 'host' })).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining("'elsewhere'"),
    });
  });
});

describe('a lost device', () => {
  gpuTest('rejects what is under way and what comes after, and takes kernels without a word', async (create) => {
    const backend = await create();
    const step = prepareStep(backend);
    const kept = backend.createMatrix(4, 4);
    step(0);
    const first = read(kept);
    await first;
    step(1);
    const pending = [read(kept), backend.synchronize()];
    step(2);
    backend.device.destroy();
    const later = read(kept);
    for (const rejected of [...pending, later]) {
      await expect(rejected).rejects.toMatchObject({
        name: 'LinalgError',
        code: 'device-lost',
        message: expect.stringContaining('resume from the last checkpoint'),
      });
    }
    step(3);
    await expect(backend.synchronize()).rejects.toMatchObject({ code: 'device-lost' });
    await expect(read(kept)).rejects.toMatchObject({ code: 'device-lost' });
    expect(() => backend.createMatrix(1, 1)).toThrow('the device was lost');
    kept[Symbol.dispose]();
    await backend.dispose();
  });

  gpuTest('does not leave a table on the host waiting', async (create) => {
    const backend = await create({ tables: 'host' });
    const table = backend.createTable(10, 3);
    const indices = backend.createIndices(2);
    writeIndices(Int32Array.of(1, 2), indices);
    scatterAddRows(createMatrixFrom(backend, 2, 3, numbers(6, 1)), indices, table);
    const reading = readRows(table, 0, 10);
    backend.device.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'device-lost' });
    await expect(backend.synchronize()).rejects.toMatchObject({ code: 'device-lost' });
  });
});

describe('disposal', () => {
  gpuTest('lets reads that are under way finish', async (create) => {
    const backend = await create();
    const matrix = createMatrixFrom(backend, 2, 3, [1, 2, 3, 4, 5, 6]);
    affine(matrix, 2, 0, matrix);
    const reading = read(matrix);
    const disposal = backend.dispose();
    expect(backend.disposed).toBe(true);
    expect([...(await reading)]).toEqual([2, 4, 6, 8, 10, 12]);
    await disposal;
    expect(() => fill(1, matrix)).toThrow('was disposed');
  });

  gpuTest(
    'lets those who wait for the device hear from it, and refuses to wait afterwards: nothing was lost',
    async (create) => {
      const owner = await create();
      const guest = await create({ device: owner.device });
      for (const backend of [guest, owner]) {
        prepareStep(backend)(0);
        const waiting = backend.synchronize();
        const disposal = backend.dispose();
        const refused = expect(backend.synchronize()).rejects.toMatchObject({
          name: 'LinalgError',
          code: 'disposed',
          message: `synchronize: the backend '${backend.name}' was disposed`,
        });
        await waiting;
        await refused;
        await disposal;
        await expect(backend.synchronize()).rejects.toMatchObject({ code: 'disposed' });
      }
    },
  );

  gpuTest('leaves an application its device', async (create) => {
    const owner = await create();
    const guest = await create({ device: owner.device });
    fill(3, guest.createMatrix(2, 2));
    await guest.dispose();
    const matrix = owner.createMatrix(2, 2);
    fill(5, matrix);
    expect([...(await read(matrix))]).toEqual([5, 5, 5, 5]);
  });
});

describe('two backends', () => {
  gpuTest('work side by side, and refuse operands of each other', async (create) => {
    const [first, second] = [await create(), await create()];
    const [here, there] = [createMatrixFrom(first, 1, 2, [1, 2]), createMatrixFrom(second, 1, 2, [3, 4])];
    expect(first.device).not.toBe(second.device);
    expect(() => axpy(1, there, here)).toThrow(
      /axpy: x lives on 'webgpu f32, .*', out on 'webgpu f32, .*' \(two instances\)/,
    );
    expect(await Promise.all([read(here), read(there)])).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
  });
});

describe('a NaN', () => {
  gpuTest('goes through every kernel to the result', async (create) => {
    const backend = await create();
    const x = createMatrixFrom(backend, 2, 3, [1, Number.NaN, 3, 4, 5, 6]);
    const square = backend.createMatrix(3, 3);
    gemm(x, x, square, { transposeA: true });
    unary('relu', square, square);
    unary('sigmoid', square, square);
    const largest = backend.createMatrix(1, 3);
    reduce('maximum', square, largest);
    expect([...(await read(largest))]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const condition = backend.createMatrix(1, 1);
    solve(square, createMatrixFrom(backend, 3, 1, [1, 2, 3]), backend.createMatrix(3, 1), condition);
    expect([...(await read(condition))]).toEqual([Number.NaN]);
  });
});

const copyUsage = { source: 0x4, destination: 0x8, storage: 0x80 };

describe('interop', () => {
  gpuTest('gives an application the numbers of a matrix in the order of calls', async (create) => {
    const backend = await create();
    const matrix = createMatrixFrom(backend, 2, 2, [1, 2, 3, 4]);
    affine(matrix, 10, 0, matrix);
    const { device, buffer, offset, bytes } = interop.bufferOf(matrix);
    expect([offset, bytes]).toEqual([0, 16]);
    device.queue.writeBuffer(buffer, offset + 4, Float32Array.of(-1));
    affine(matrix, 1, 1, matrix);
    expect([...(await read(matrix))]).toEqual([11, 0, 31, 41]);
  });

  gpuTest('makes matrices of parts of one buffer, which may be operands of the same kernel', async (create) => {
    const backend = await create();
    const usage = copyUsage.source | copyUsage.destination | copyUsage.storage;
    const buffer = backend.device.createBuffer({ size: 1024, usage });
    const a = interop.matrixOver(backend, buffer, 2, 3);
    const out = interop.matrixOver(backend, buffer, 2, 2, { offset: 256 });
    write([1, 2, 3, 4, 5, 6], a);
    gemm(a, a, out, { transposeB: true });
    expect([...(await read(out))]).toEqual([14, 32, 32, 77]);
    unary('square', a, a);
    expect([...(await read(a))]).toEqual([1, 4, 9, 16, 25, 36]);
    a[Symbol.dispose]();
    out[Symbol.dispose]();
    const again = interop.matrixOver(backend, buffer, 2, 2, { offset: 256 });
    expect([...(await read(again))]).toEqual([14, 32, 32, 77]);
    expect(backend.memory()).toMatchObject({ matrices: 1, bytes: 16 });
  });

  gpuTest('does not hand out a buffer while operations wait for a table on the host', async (create) => {
    const backend = await create({ tables: 'host' });
    const table = backend.createTable(4, 2);
    const indices = backend.createIndices(1);
    writeIndices(Int32Array.of(3), indices);
    const row = createMatrixFrom(backend, 1, 2, [1, 2]);
    scatterAddRows(row, indices, table);
    expect(() => interop.bufferOf(row)).toThrow('await synchronize() first');
    await backend.synchronize();
    interop.submit(backend);
    expect(interop.bufferOf(row).bytes).toBe(8);
    expect([...(await readRows(table, 3, 1))]).toEqual([1, 2]);
  });

  gpuTest('refuses what cannot be a matrix', async (create) => {
    const backend = await create();
    const usage = copyUsage.source | copyUsage.destination | copyUsage.storage;
    const buffer = backend.device.createBuffer({ size: 512, usage });
    const poor = backend.device.createBuffer({ size: 512, usage: copyUsage.storage });
    expect(() => interop.matrixOver(backend, poor, 2, 2)).toThrow('needs STORAGE, COPY_SRC and COPY_DST');
    expect(() => interop.matrixOver(backend, buffer, 2, 2, { offset: 4 })).toThrow(
      'offset is 4, this device needs a multiple of',
    );
    expect(() => interop.matrixOver(backend, buffer, 9, 9, { offset: 256 })).toThrow(
      '9×9 needs 336 bytes from 256 on, the buffer has 512',
    );
    const matrix = backend.createMatrix(1, 1);
    matrix[Symbol.dispose]();
    expect(() => interop.bufferOf(matrix)).toThrow('bufferOf: the matrix was disposed');
  });
});
