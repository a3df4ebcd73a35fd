import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { longestFiles } from '../src/longest-first.ts';

it.each(longestFiles)('%s, which begins among the first, exists', (path) => {
  expect(existsSync(resolve(import.meta.dirname, '../../..', path))).toBe(true);
});
