/** The bench at a tiny size through its function: what it reports, never how long it took. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measureTraining } from '../../src/training/measure.ts';
import { trainingTables } from '../../src/training/report.ts';

const silent = (): void => undefined;

describe('bench training', () => {
  it('trains on a text file and says where the time goes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vastmax-bench-'));
    const data = join(folder, 'text.txt');
    writeFileSync(data, 'the cat sat on the mat\nthe dog sat on the log\n'.repeat(50));
    const report = await measureTraining(
      { data, threads: [1], plain: false, loss: 'z-loss', batch: 8, turns: 3 },
      silent,
    );
    rmSync(folder, { recursive: true });
    expect(report.corpus).toEqual({ name: data, tokens: 700, classes: 9 });
    const row = report.rows.find(({ backend }) => backend === 'wasm');
    expect(row?.spread.samples).toBe(3);
    expect(row?.examplesPerSecond).toBeGreaterThan(0);
    const { body = 0, output = 0, data: drawing = 0 } = row?.shares ?? {};
    expect(body + output + drawing).toBeCloseTo(1, 9);
    expect([body, output, drawing].every((share) => share > 0)).toBe(true);
    expect(trainingTables(report)).toMatch(/^\| wasm +\| +1 \|/m);
  });
});
