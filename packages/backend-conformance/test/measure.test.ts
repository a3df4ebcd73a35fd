import { createPlainBackend } from '@vastmax/linalg-core';
import { describe, expect, it } from 'vitest';
import { conformanceCases, measureBackend } from '../src/index.ts';

describe('measureBackend', () => {
  it('gives median time and rate of kernel cases, from the clock it is handed', async () => {
    let ticks = 0;
    const now = (): number => ticks++ / 64;
    const cases = conformanceCases.filter(({ id }) =>
      ['gemm/no-transpose/large', 'order/long-chain', 'fill/nan-and-infinity'].includes(id),
    );
    const rows = await measureBackend(() => createPlainBackend(), { cases, samples: 3, secondsPerSample: 1 / 64, now });
    // Rules are not measured. One tick between two looks at the clock is 1/64 of a second.
    expect(rows.map(({ id, kernel, samples }) => [id, kernel, samples])).toEqual([
      ['fill/nan-and-infinity', 'fill', 3],
      ['gemm/no-transpose/large', 'gemm', 3],
    ]);
    expect(rows[1]?.operations).toBe(2 * 257 ** 3);
    expect(rows[1]?.medianSeconds).toBe(1 / 64);
    expect(rows[1]?.operationsPerSecond).toBe(2 * 257 ** 3 * 64);
  });

  it('leaves nothing alive', async () => {
    const backend = createPlainBackend();
    const cases = conformanceCases.filter(({ id }) => id.startsWith('axpy/'));
    await measureBackend(() => backend, { cases, samples: 1, secondsPerSample: 0 });
    expect(backend.memory()).toEqual({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
    expect(backend.disposed).toBe(true);
  });
});
