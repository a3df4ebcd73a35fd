import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeExports } from '../../src/describe-exports.ts';
import { findPublishedPackages } from '../../src/published-packages.ts';

it.each(findPublishedPackages().map((each) => [each.name, each] as const))(
  '%s exports what its snapshot says',
  async (_, each) => {
    const meant = 'the public surface changed; if that is meant, run `pnpm test -u` and commit exports.snapshot.md';
    await expect(describeExports(each), meant).toMatchFileSnapshot(join(each.folder, 'exports.snapshot.md'));
  },
);
