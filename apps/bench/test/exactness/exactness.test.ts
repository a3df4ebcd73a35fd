import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bench } from '../bench-command.ts';

/** Of processes that load all benches; seconds on a quiet machine. */
const timeout = 600_000;

describe('bench exactness', { timeout }, () => {
  it('prints one JSON object, and its tables from the file', async () => {
    const { stdout, stderr, code } = await bench(['exactness', '--json', '--steps', '2']);
    const report = JSON.parse(stdout) as {
      rows: { id: string; pass: boolean }[];
      longRuns: unknown[];
      machine: { node: string };
      pass: boolean;
    };
    expect(report.rows.length).toBe(192 + 4 + 4);
    expect(new Set(report.rows.map(({ id }) => id)).size).toBe(200);
    expect(report.longRuns.length).toBe(6);
    expect(report.machine.node).toBe(process.version);
    expect(report.rows.filter(({ pass }) => !pass)).toEqual([]);
    expect([report.pass, code]).toEqual([true, 0]);
    expect(stderr).toContain('205/206 long/rgx/f32');

    const folder = mkdtempSync(join(tmpdir(), 'vastmax-bench-'));
    const file = join(folder, 'report.json');
    writeFileSync(file, stdout);
    const tables = await bench(['exactness', '--from', file]);
    expect(tables.stdout).toMatch(/^\| z-loss +\| ragged \| yes {3}\| f32 .*within bound \|$/m);
    expect(tables.stdout.match(/^\| /gm)?.length).toBe(64 + 8 + 6 + 3 + 3);

    writeFileSync(file, JSON.stringify({ ...report, pass: false }));
    const failed = await bench(['exactness', '--from', file, '--json']);
    expect([failed.code, (JSON.parse(failed.stdout) as { pass: boolean }).pass]).toEqual([1, false]);
    rmSync(folder, { recursive: true });
  });

  it('prints nothing on stdout when it is interrupted', async () => {
    const { stdout, signal, code } = await bench(['exactness', '--json'], '3/206');
    expect(stdout).toBe('');
    expect([signal, code]).not.toEqual([null, 0]);
  });

  it('says what is wrong with a bad option', async () => {
    const { stdout, stderr, code } = await bench(['exactness', '--steps', '0']);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain("expected a whole number of at least 1, got '0'");
  });
});
