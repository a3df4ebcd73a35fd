import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../src');
const runner = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Runs vitest on the given test files, with this package's reporter and setup file, in a process of its own. */
function run(files: Readonly<Record<string, string>>, isolate = true): { status: number | null; lines: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'vastmax-test-reporting-'));
  folders.push(root);
  const config = `
    import { ClosingLineReporter } from ${JSON.stringify(join(source, 'closing-line-reporter.ts'))};
    export default { test: {
      globals: true,
      isolate: ${isolate},
      ${isolate ? '' : 'maxWorkers: 2,'}
      testTimeout: 600_000,
      hookTimeout: 600_000,
      include: ['*.test.js'],
      reporters: ['default', new ClosingLineReporter()],
      setupFiles: [${JSON.stringify(join(source, 'fail-on-console.ts'))}],
    } };`;
  for (const [name, text] of Object.entries({ ...files, 'vitest.config.ts': config }))
    writeFileSync(join(root, name), text);
  const { status, stdout, stderr } = spawnSync(process.execPath, [runner, 'run', '--root', root], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  });
  return { status, lines: `${stderr}${stdout}`.trimEnd().split('\n') };
}

describe('the closing line', () => {
  it('ends a run that passes', () => {
    const { status, lines } = run({
      'a.test.js': `it('a', () => {}); it('b', () => {});`,
      'b.test.js': `it('c', () => {});`,
    });
    expect(lines.at(-1)).toBe('3 passed, 0 failed');
    expect(status).toBe(0);
  });

  it('counts failures, skipped tests and files that do not load', () => {
    const { status, lines } = run({
      'a.test.js': `it('a', () => {}); it('b', () => expect(1).toBe(2)); it.skip('c', () => {}); it.todo('d');`,
      'b.test.js': `import './nowhere.js';`,
      'c.test.js': `describe('s', () => { beforeAll(() => { throw new Error('hook'); }); it('e', () => {}); });`,
    });
    expect(lines.at(-1)).toBe('1 passed, 3 failed, 3 skipped');
    expect(status).toBe(1);
  });

  it('comes after the reasons of the skips', () => {
    const { lines } = run({
      'a.test.js': `it('a', ({ skip }) => skip('no GPU')); it('b', ({ skip }) => skip('no GPU')); it.skip('c (no guard)', () => {});
        it.skip('d', () => {});`,
    });
    expect(lines.slice(-4)).toEqual([
      'skipped 2: no GPU',
      'skipped 1: no guard',
      'skipped 1: no reason given: d',
      '0 passed, 0 failed, 4 skipped',
    ]);
  });

  it('counts an error outside every test', () => {
    const { status, lines } = run({
      'a.test.js': `it('a', async () => { void Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 20)); });`,
    });
    expect(lines.at(-1)).toBe('1 passed, 1 failed');
    expect(status).toBe(1);
  });
});

describe('files that share a process', () => {
  it('count each error once, at the file that made it', () => {
    const { status, lines } = run(
      {
        'a.test.js': `it('a', async () => { void Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 20)); });`,
        'b.test.js': `it('b', () => expect(1).toBe(2)); it('c', () => {});`,
        'c.test.js': `import './nowhere.js';`,
        'd.test.js': `it('d', () => { console.log('a loud library'); }); it('e', () => {});`,
        'e.test.js': `it('f', () => {}); it('g', () => {});`,
      },
      false,
    );
    expect(lines.at(-1)).toBe('5 passed, 4 failed');
    const text = lines.join('\n');
    expect(text).toMatch(/FAIL .*b\.test\.js > b/);
    expect(text).toMatch(/FAIL .*c\.test\.js/);
    expect(text).toMatch(/FAIL .*d\.test\.js > d/);
    expect(text).toMatch(/This error originated in "a\.test\.js"/);
    expect(status).toBe(1);
  });

  it('fail the run if their process ends', () => {
    const { status, lines } = run(
      {
        'a.test.js': `it('a', () => {});`,
        'b.test.js': `it('b', () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); });`,
        'c.test.js': `it('c', () => {});`,
      },
      false,
    );
    expect(lines.at(-1)).not.toContain(' 0 failed');
    expect(lines.at(-2)).toBe("interrupted in b.test.js: 1 of 1 tests did not end, the first of them 'b'");
    expect(status).toBe(1);
  });
});

describe('console output', () => {
  it.each([
    ['console.log', `console.log('a loud library')`],
    ['console.warn', `try { console.warn('a loud library') } catch {}`],
    ['process.stderr', `process.stderr.write('a loud library')`],
  ])('by %s fails the test that made it, and no other', (writer, statement) => {
    const { status, lines } = run({
      'a.test.js': `it('quiet', () => {}); it('loud', () => { ${statement}; }); it('after', () => {});`,
    });
    expect(lines.at(-1)).toBe('2 passed, 1 failed');
    expect(lines.join('\n')).toMatch(new RegExp(`FAIL .*loud\n.*console output: ${writer} was .*a loud library`));
    expect(status).toBe(1);
  });

  it('while a file loads fails it', () => {
    const { status } = run({ 'a.test.js': `console.info('loading'); it('quiet', () => {});` });
    expect(status).toBe(1);
  });

  it('that a test expects and replaces is allowed', () => {
    const { lines } = run({
      'a.test.js': `it('a', () => { const log = vi.spyOn(console, 'log').mockImplementation(() => {}); console.log(1); expect(log).toHaveBeenCalled(); });`,
    });
    expect(lines.at(-1)).toBe('1 passed, 0 failed');
  });
});
