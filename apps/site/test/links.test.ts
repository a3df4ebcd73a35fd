import { describe, expect, it } from 'vitest';
import { siteLink } from '../src/links.ts';
import { placeOf } from '../src/pages.ts';

const repository = 'https://github.com/vastmax/vastmax';

describe('a link of a text', () => {
  it.each([
    ['docs/gpu.md', 'mathematics.md#3-the-exact-step', '/mathematics.md#3-the-exact-step'],
    ['docs/gpu.md', 'decisions/0012-centred-gram-matrix.md', '/decisions/0012-centred-gram-matrix.md'],
    ['docs/gpu.md', 'decisions', '/decisions.md'],
    ['examples/own-body/README.md', '../../packages/autodiff', '/packages/autodiff.md'],
    ['examples/README.md', 'own-body', '/examples/own-body.md'],
    ['docs/experiments.md', '../examples', '/examples/index.md'],
    ['CONTRIBUTING.md', 'README.md#packages', '/#packages'],
    [
      'packages/lm-models/README.md',
      `${repository}/blob/main/docs/gpu.md#measured-and-not`,
      '/gpu.md#measured-and-not',
    ],
    ['apps/site/pages/index.md', '../../cli/README.md', '/command.md'],
    ['apps/site/pages/index.md', 'start/own-model.md', '/start/own-model.md'],
    // What is included of the README of the root has its links from there.
    ['apps/site/pages/index.md', 'docs/exactness.md', '/exactness.md'],
    // No pages: to the repository.
    ['docs/gpu.md', '../LICENSE', `${repository}/blob/main/LICENSE`],
    [
      'docs/gpu.md',
      '../packages/autodiff/src/index.ts#L3',
      `${repository}/blob/main/packages/autodiff/src/index.ts#L3`,
    ],
    ['docs/gpu.md', '../packages/autodiff/src/', `${repository}/tree/main/packages/autodiff/src`],
    // Left as they are; VitePress reports the first.
    ['docs/gpu.md', 'globular.md', 'globular.md'],
    ['docs/gpu.md', '#measured-and-not', '#measured-and-not'],
    ['docs/gpu.md', 'https://example.org/gpu.md', 'https://example.org/gpu.md'],
  ])('in %s, to %s', (file, target, expected) => {
    expect(siteLink(target, file)).toBe(expected);
  });

  it('leads to a place that only pages have', () => {
    expect(placeOf('apps/site/pages/guides/labels.md')).toBe('guides/labels.md');
    expect(placeOf('packages/autodiff/CHANGELOG.md')).toBeUndefined();
    expect(placeOf('docs/plots/overview.svg')).toBeUndefined();
  });
});
