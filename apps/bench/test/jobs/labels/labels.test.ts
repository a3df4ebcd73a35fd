/** The job of labels on a few lines: what is generated, what is measured, and what fastText's output is turned into. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '@vastmax/test-programs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precisionOf } from '../../../src/jobs/labels/fasttext.ts';
import { labelledLinesDefaults, writeLabelledLines } from '../../../src/jobs/labels/labelled-lines.ts';
import { measureLabels } from '../../../src/jobs/labels/measure.ts';
import { labelsTables } from '../../../src/jobs/labels/report.ts';

const lines = { ...labelledLinesDefaults, labels: 30, lines: 200, testLines: 20, words: 100 };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vastmax-labels-test-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function written(name: string, seed: number): readonly string[] {
  const files = [join(folder, `${name}.train`), join(folder, `${name}.test`)] as const;
  writeLabelledLines(...files, lines, seed);
  return files.map((file) => readFileSync(file, 'utf8'));
}

describe('the lines', () => {
  it('are those of fastText, with every label among the training lines', () => {
    const [train = '', test = ''] = written('lines', 1);
    const trained = train.trimEnd().split('\n');
    expect(trained).toHaveLength(200);
    expect(test.trimEnd().split('\n')).toHaveLength(20);
    for (const line of trained) expect(line).toMatch(/^__label__L\d+( w\d+){20}$/);
    expect(new Set(trained.map((line) => line.split(' ')[0])).size).toBe(30);
  });

  it('follow from the seed', () => {
    expect(written('again', 1)).toEqual(written('lines', 1));
    expect(written('other', 2)).not.toEqual(written('lines', 1));
  });
});

it('counts predictions of which the label is the first, or among five', () => {
  const test = join(folder, 'predicted');
  writeFileSync(test, '__label__L1 w1\n__label__L2 w2\n__label__L3 w3\n__label__L4 w4\n');
  const predicted = ['L1 L2', 'L1 L2', 'L1 L2', 'L4 L1'].map((line) =>
    line
      .split(' ')
      .map((label) => `__label__${label}`)
      .join(' '),
  );
  expect(precisionOf(`${predicted.join('\n')}\n`, test)).toEqual({ precisionAt1: 0.5, precisionAt5: 0.15 });
});

it('trains each layer in a process of its own, with the defaults', async () => {
  const program = fileURLToPath(
    await bundleProgram(new URL('../../../src/jobs/labels/train-layer.ts', import.meta.url)),
  );
  const report = await measureLabels(
    {
      lines,
      layers: ['factored', 'huffman', 'negative'],
      turns: 1,
      embedding: 8,
      epochs: 20,
      batch: 16,
      backend: 'plain',
      threads: 1,
      seed: 1,
    },
    () => undefined,
    program,
  );
  expect(report).toMatchObject({ bench: 'jobs', job: 'labels', fasttext: 'not asked for' });
  expect(report.rows.map(({ layer }) => layer)).toEqual(['factored', 'huffman', 'negative']);
  for (const row of report.rows) {
    expect(row.trainSeconds).toBeGreaterThan(row.readSeconds);
    expect(row.peakMiB).toBeGreaterThan(10);
    expect(row.turns).toHaveLength(1);
  }
  const [, huffman] = report.rows;
  expect(huffman?.precisionAt1, 'more than the most frequent label').toBeGreaterThan(0.3);
  expect(labelsTables(report)).toMatch(/^\| huffman /m);
});
