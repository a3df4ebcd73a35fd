// Small Parquet files that claim many rows, and what they may cost.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSparseDataError } from '@vastmax/sparse-data';
import { readParquet, readParquetTexts } from '@vastmax/text-readers/node';
import { afterAll, describe, expect, it } from 'vitest';
import { parquetOf, run, type ClaimedPage } from './parquet-claims.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-hostile-parquet-'));
const path = join(folder, 'file.parquet');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function outcomeOf(page: ClaimedPage): Promise<string> {
  writeFileSync(path, parquetOf(page));
  let count = 0;
  try {
    for await (const text of readParquetTexts(path)) {
      expect(text).toBe('a');
      count++;
    }
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
  return `${count} rows`;
}

describe('a Parquet file of 140 bytes', () => {
  it('may have many rows', async () => {
    expect(await outcomeOf({ rows: 5000, values: 5000, body: [1, ...run(5000)] })).toBe('5000 rows');
  });

  it('is refused with the limit for a page of a billion values, before they are made', async () => {
    const limit =
      /^bad-parquet: .* asks for 1000000000 values at once; at most \d+, 8 for each byte of the file and 1,048,576/;
    expect(await outcomeOf({ rows: 1e9, values: 1e9, body: [1, ...run(1e9)] })).toMatch(limit);
    expect(await outcomeOf({ rows: 1e9, values: 1e9, body: [0] })).toMatch(limit);
  });

  it('is refused with the limit for one row whose run is of a billion, which is ended on the way', async () => {
    expect(await outcomeOf({ rows: 1, values: 1, body: [1, ...run(1e9)] })).toMatch(
      /^record-too-long: .* decoding a row group takes more than \d+ bytes of memory, 64 times the file and 32 MiB/,
    );
    // The next file has a thread of its own.
    expect(await outcomeOf({ rows: 3, values: 3, body: [1, ...run(3)] })).toBe('3 rows');
  });

  it('ends when it is told to, in the midst of a page that has no end', async () => {
    // 2^31 bit-packed groups of width 0 take minutes and no memory.
    writeFileSync(path, parquetOf({ rows: 1, values: 1, body: [1, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0] }));
    const reason = new Error('enough');
    const started = performance.now();
    const signal = {
      aborted: false,
      throwIfAborted: () => {
        if (performance.now() > started + 200) throw reason;
      },
    };
    const read = async (): Promise<void> => {
      for await (const row of readParquet(path, { signal })) expect(row.row).toBe(1);
    };
    await read().catch((error: unknown) => {
      expect(error === reason || isSparseDataError(error)).toBe(true);
    });
  });
});
