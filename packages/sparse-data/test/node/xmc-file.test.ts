import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { SparseBatches, type SparseBatch } from '../../src/batches/sparse-batches.ts';
import { readXmcRows } from '../../src/node/read-records.ts';
import { openXmcFile } from '../../src/node/xmc-file.ts';
import { allOf } from '../all-of.ts';
import { thrownBy } from '../thrown-by.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-xmc-file-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function written(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function plain({ inputs, targets, examples, epoch, endOfEpoch }: SparseBatch): unknown {
  const rows = [inputs, targets].map(({ rows, offsets, indices, values }) => ({
    rows,
    offsets: [...offsets],
    indices: [...indices],
    values: values === undefined ? undefined : [...values],
  }));
  return { rows, examples: [...examples], epoch, endOfEpoch };
}

const line = fc
  .tuple(
    fc.array(fc.nat(4), { maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(8), fc.constantFrom('1', '0.5', '1e-3', '-2')), { maxLength: 5 }),
    fc.constantFrom('\n', '\r\n', ' \t\n'),
  )
  .map(
    ([labels, entries, end]) =>
      [labels.join(','), ...entries.map(([feature, value]) => `${feature}:${value}`)].join(' ') + end,
  );

it('minibatches of a file are those of its rows in memory, also from a cursor', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (lines, hasMark, chunkBytes) => {
        const path = written('any.txt', `${hasMark ? '\ufeff' : ''}${lines.length} 9 5\n${lines.join('')}`);
        const [held] = await allOf(readXmcRows(path));
        if (held === undefined) throw new Error('there must be points');
        using file = await openXmcFile(path, { chunkBytes });
        expect(file.targets).toEqual(held.targets);
        expect(file.entries).toBe(held.inputs.indices.length);
        expect(file.usedFeatures).toBe(new Set(held.inputs.indices).size);
        const options = { batchSize: 5, seed: 3 };
        const memory = new SparseBatches({ ...held, ...options });
        const disk = new SparseBatches({ inputs: file.inputs, targets: file.targets, ...options });
        for (let step = 0; step < 7; step++) expect(plain(disk.next())).toEqual(plain(memory.next()));
        const resumed = new SparseBatches({ inputs: file.inputs, targets: file.targets, ...options });
        resumed.seek(memory.cursor());
        expect(plain(resumed.next())).toEqual(plain(memory.next()));
      },
    ),
    { numRuns: 50 },
  );
});

it('takes a file without a header, with blank lines, and features from 1', async () => {
  const path = written('libsvm.txt', '2 1:1 3:2\n\n\n0 2:5');
  using file = await openXmcFile(path, { shape: { features: 3, labels: 3 }, firstFeature: 1 });
  const batches = new SparseBatches({ inputs: file.inputs, targets: file.targets, batchSize: 2, shuffle: false });
  const { inputs, targets } = batches.next();
  expect([...inputs.indices]).toEqual([0, 2, 1]);
  expect([...(inputs.values ?? [])]).toEqual([1, 2, 5]);
  expect([...targets.indices]).toEqual([2, 0]);
});

it('refuses what has no places, names the line that is wrong, and notices a change', async () => {
  const packed = written('packed.txt.gz', gzipSync('1 3 4\n0 1:1\n'));
  expect(await thrownBy(() => openXmcFile(packed))).toBe(
    `bad-option: openXmcFile: ${packed} is compressed, of which single points cannot be read; give an uncompressed file, or hold the points in memory`,
  );
  const wrong = written('wrong.txt', '2 3 4\n0 1:1\n1 7:1\n');
  expect(await thrownBy(() => openXmcFile(wrong))).toBe(
    `index-out-of-range: parseXmc: ${wrong}: line 3: feature is 7, but there are 3 features; they are 0..2`,
  );
  const changed = written('changed.txt', '1 3 4\n0 1:1\n');
  using file = await openXmcFile(changed);
  appendFileSync(changed, '\n');
  const batches = new SparseBatches({ inputs: file.inputs, targets: file.targets, batchSize: 1 });
  expect(await thrownBy(() => batches.next())).toBe(
    `unreadable-file: openXmcFile: ${changed} has changed since it was opened; leave it as it is while its points are read`,
  );
});
