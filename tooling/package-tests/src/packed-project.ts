// A temporary project outside the repository with the packages as npm would install them: each is packed by `pnpm pack`
// and installed from its tarball. Overrides resolve the dependencies between the packages to the tarballs too, so no
// registry is used for them. vitest, a peer dependency of the packages with test suites, is linked from this
// repository.

import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { root, type PublishedPackage } from './published-packages.ts';

function runPnpm(arguments_: readonly string[], cwd: string): void {
  // Inside `pnpm test` this is the path of the running pnpm, a program or a script, which may not be on PATH.
  const running = process.env['npm_execpath'] ?? '';
  const pnpm = basename(running).startsWith('pnpm') ? running : 'pnpm';
  const [command, ...first] = /\.[cm]?js$/.test(pnpm) ? [process.execPath, pnpm] : [pnpm];
  const env = { ...process.env, CI: '1', NODE_OPTIONS: '' };
  execFileSync(command, [...first, ...arguments_], { cwd, env, stdio: 'pipe' });
}

const installedFolder = (project: string, name: string): string => join(project, 'node_modules', ...name.split('/'));

/** Packs and installs the built packages. @returns the project's folder, which the caller removes. */
export function createPackedProject(packages: readonly PublishedPackage[]): string {
  // The real path: on some systems the temporary folder is a symbolic link, and module URLs contain the resolved path.
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'vastmax-packed-')));
  const tarballs = join(project, 'tarballs');
  const specifiers = packages.map(({ name, folder }) => {
    const own = join(tarballs, name);
    mkdirSync(own, { recursive: true });
    runPnpm(['pack', '--pack-destination', own], folder);
    const [tarball] = readdirSync(own);
    if (tarball === undefined) throw new Error(`pnpm pack left no tarball of ${name} in ${own}`);
    return [name, `file:${join(own, tarball)}`] as const;
  });
  const manifest = { name: 'scratch', private: true, type: 'module', dependencies: Object.fromEntries(specifiers) };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  // JSON is valid YAML.
  const settings = { nodeLinker: 'hoisted', autoInstallPeers: false, overrides: Object.fromEntries(specifiers) };
  writeFileSync(join(project, 'pnpm-workspace.yaml'), JSON.stringify(settings));
  runPnpm(['install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile'], project);
  const vitest = dirname(createRequire(join(root, 'package.json')).resolve('vitest/package.json'));
  symlinkSync(realpathSync(vitest), installedFolder(project, 'vitest'), 'dir');
  return project;
}

/** The files in the tarball of a package. */
export function packedFiles(folder: string): string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'vastmax-tarball-'));
  try {
    runPnpm(['pack', '--pack-destination', scratch], folder);
    const list = execFileSync('tar', ['-tzf', join(scratch, readdirSync(scratch)[0] ?? '')], { encoding: 'utf8' });
    return list
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, ''));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The installed files of a package, and the text of its manifest. */
export function readInstalledPackage(project: string, name: string): { files: string[]; manifest: string } {
  const folder = installedFolder(project, name);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return {
    files: files
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
    manifest: readFileSync(join(folder, 'package.json'), 'utf8'),
  };
}
