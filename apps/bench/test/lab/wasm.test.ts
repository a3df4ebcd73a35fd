/** The lab runs, and what ships agrees with the naive versions. How fast is for people to judge, on a quiet machine. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Row {
  readonly kernel: string;
  readonly ships: boolean;
  readonly withinTolerance: boolean;
  readonly rate: number;
}

function runLab(...options: string[]): { status: number | null; stdout: string; stderr: string } {
  const folder = fileURLToPath(new URL('../..', import.meta.url));
  return spawnSync(
    process.execPath,
    ['--import', 'tsx', '--conditions=@vastmax/source', 'lab/wasm/main.ts', ...options],
    { encoding: 'utf8', cwd: folder },
  );
}

/** The lab compiles its kernels: seconds on a quiet machine. */
const timeout = 600_000;

it('the lab times the versions of a kernel and checks them', { timeout }, () => {
  const { status, stdout } = runLab('row-sum', '--json');
  expect(status).toBe(0);
  const rows = JSON.parse(stdout) as readonly Row[];
  expect(rows.map(({ kernel }) => kernel)).toEqual(new Array(6).fill('row-sum'));
  expect(rows.filter(({ ships }) => ships)).toHaveLength(2);
  expect(rows.every(({ withinTolerance, rate }) => withinTolerance && rate > 0)).toBe(true);
});

it('the lab names its kernels when asked for another', { timeout }, () => {
  const { status, stdout, stderr } = runLab('sort');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain("'sort' is not a kernel of the lab; there are gemm, exp, row-sum");
});
