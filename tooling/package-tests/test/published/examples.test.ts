// Every program of examples/ prints what its README says, with the built packages.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseMarkdown } from '../../src/documents/markdown.ts';
import { root } from '../../src/published-packages.ts';

const examples = join(root, 'examples');
const names = readdirSync(examples, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const scratch = mkdtempSync(join(tmpdir(), 'vastmax-examples-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

describe.each(names)('%s', (name) => {
  const folder = join(examples, name);
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const isPage = existsSync(join(folder, 'index.html'));

  it('is listed, and short', () => {
    expect(readFileSync(join(examples, 'README.md'), 'utf8')).toContain(`| [${name}](${name}) `);
    const lines = readFileSync(join(folder, isPage ? 'worker.js' : 'main.js'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(15);
    expect(lines.length).toBeLessThanOrEqual(60);
  });

  if (!isPage)
    it('prints what its README says', () => {
      const printed = execFileSync(process.execPath, [join(folder, 'main.js')], { cwd: scratch, encoding: 'utf8' });
      expect(printed.trimEnd()).toBe(parseMarkdown(readme).blocks.find(({ language }) => language === 'text')?.text);
    });

  if (isPage)
    it('is built by Vite, with the packages in its Worker', async () => {
      const { build } = await import('vite');
      await build({ root: folder, logLevel: 'silent', build: { outDir: join(scratch, name) } });
      const assets = readdirSync(join(scratch, name, 'assets'));
      expect(assets.some((asset) => asset.startsWith('worker-'))).toBe(true);
      expect(readFileSync(join(scratch, name, 'index.html'), 'utf8')).toContain('assets/');
    });
});
