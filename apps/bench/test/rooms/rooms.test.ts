/** The counter on files whose functions run, run only while modules are evaluated, or do not run; and the bench. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { addRoomsCommand } from '../../src/rooms/command.ts';
import { filesOf } from '../../src/rooms/function-coverage.ts';
import { type RoomsReport, runCounter } from '../../src/rooms/measure.ts';
import { roomCounts, roomsFiles, roomsTables } from '../../src/rooms/report.ts';

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url));
const fixture = (name: string): string => `${fixtures}/${name}.ts`;

describe('the files that run functions', () => {
  it('are those of which one was called, without what only ran while modules were evaluated', async () => {
    const [files = []] = await runCounter({
      folders: [fixtures],
      modules: ['called', 'evaluated', 'uncalled'].map(fixture),
      program: fixture('top'),
      args: [],
    });
    expect(files.map((path) => basename(path))).toEqual(['called.ts']);
  });

  it('do not have those of other folders, nor top levels of modules', async () => {
    const request = { modules: [], program: fixture('top'), args: [] };
    expect(await runCounter({ ...request, folders: ['/nowhere'] })).toEqual([[]]);
    const [files = []] = await runCounter({ ...request, folders: [fixtures] });
    expect(files.map((path) => basename(path))).toEqual(['called.ts', 'evaluated.ts']);
  });

  it('are told from functions that did not run and from what the loader adds', () => {
    const ran = (functionName: string, startOffset: number, count: number) => ({
      functionName,
      isBlockCoverage: true,
      ranges: [{ startOffset, endOffset: 100, count }],
    });
    const script = (url: string, ...functions: ReturnType<typeof ran>[]) => ({ scriptId: '1', url, functions });
    expect(
      filesOf([
        script('file:///b.ts?loader', ran('', 0, 1), ran('f', 10, 2)),
        script('file:///a.ts', ran('', 0, 1), ran('', 10, 1)),
        script('file:///c.ts', ran('', 0, 1), ran('__name', 5, 9), ran('f', 10, 0)),
        script('node:fs', ran('readFile', 10, 1)),
      ]),
    ).toEqual(['/a.ts', '/b.ts']);
  });

  it('say which program failed', async () => {
    await expect(
      runCounter({ folders: [fixtures], modules: [], program: fixture('missing'), args: ['--fast'] }),
    ).rejects.toThrow(/^rooms: --fast ended with exit code 1: .*missing\.ts/s);
  });
});

describe('bench rooms', () => {
  it('prints one JSON object of five counts', async () => {
    const written = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        written[name] += String(text);
        return true;
      });
    const program = new Command();
    addRoomsCommand(program);
    await program.parseAsync(['rooms', '--json'], { from: 'user' });
    vi.restoreAllMocks();
    expect(written.stderr).toBe('rooms: minibatches\nrooms: train\nrooms: predict\n');
    const counts = JSON.parse(written.stdout) as Record<string, number>;
    expect(Object.keys(counts)).toEqual(['factored', 'hybrid', 'distributed', 'train', 'predict']);
    for (const count of Object.values(counts)) {
      expect(Number.isSafeInteger(count)).toBe(true);
      expect(count).toBeGreaterThan(0);
    }
  }, 600_000);

  it('has a table by package, and the files', () => {
    const report: RoomsReport = {
      factored: ['packages/autodiff/src/tape.ts', 'packages/lm-models/src/a.ts', 'packages/lm-models/src/b.ts'],
      hybrid: [],
      distributed: [],
      train: ['apps/cli/src/main.ts'],
      predict: [],
    };
    expect(roomCounts(report)).toEqual({ factored: 3, hybrid: 0, distributed: 0, train: 1, predict: 0 });
    expect(roomsTables(report)).toMatch(/^\| packages\/lm-models +\| +2 \| +0 \| +0 \| +0 \| +0 \|$/m);
    expect(roomsFiles(report)).toContain('factored: 3 files\n  packages/autodiff: 1\n    src/tape.ts\n');
  });
});
