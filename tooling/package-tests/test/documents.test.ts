import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLinkProblems, findProblems, type DocumentInputs } from '../src/documents/document-problems.ts';
import { externalNames, externalOptions } from '../src/documents/external-names.ts';
import { anchorsOf, parseMarkdown } from '../src/documents/markdown.ts';
import { findCitations, sectionsOf } from '../src/documents/section-citations.ts';
import { readSourceNames } from '../src/documents/source-names.ts';
import { root } from '../src/published-packages.ts';

const names = readSourceNames(root);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const inputsOf = (path: string, markdown = read(path)): DocumentInputs => ({ root, path, markdown, names, read });

const mathematics = 'docs/mathematics.md';
const decisions = names.files.filter((file) => /^docs\/decisions\/.*\.md$/.test(file));
const documents = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...names.files.filter((file) =>
    /^docs\/[^/]*\.md$|^(?:packages|apps)\/[^/]*\/README\.md$|^apps\/site\/pages\/.*\.md$/.test(file),
  ),
];

describe('documents name what exists, and their links lead somewhere', () => {
  it.each(documents)('%s', (path) => {
    expect(findProblems(inputsOf(path))).toEqual([]);
  });

  it.each(decisions)('%s', (path) => {
    expect(findLinkProblems(inputsOf(path))).toEqual([]);
  });

  it('no external name is listed that no document needs', () => {
    const text = documents.map(read).join('\n');
    expect([...externalNames, ...externalOptions].filter((name) => !text.includes(name))).toEqual([]);
  });
});

describe('docs/mathematics.md', () => {
  const page = read(mathematics);
  const { headings } = parseMarkdown(page);

  it('has the sections that sources and documents cite', () => {
    const sections = sectionsOf(headings);
    const citing = [...documents, ...names.files].filter((file) => /\.(?:ts|js|mjs|md)$/.test(file));
    const citations = citing
      .filter((file) => !file.startsWith('tooling/package-tests/'))
      .flatMap((file) => findCitations(read(file)).map((citation) => ({ file, ...citation })));
    expect(citations.length).toBeGreaterThan(5);
    expect(citations.filter(({ section }) => !sections.has(section))).toEqual([]);
  });

  it('says of each section which tests check it, and these exist', () => {
    const sections = page.split(/^## /m).slice(1);
    for (const section of sections) {
      const tests = section.match(/[\w./-]+\.test\.ts/g) ?? [];
      expect(tests, section.slice(0, 40)).not.toEqual([]);
      expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    }
  });

  it('refers to sections of its own that exist', () => {
    const sections = sectionsOf(headings);
    const referred = [...page.matchAll(/\bsection (\d+[a-z]?)/g)].map(([, section = '']) => section);
    expect(referred.filter((section) => !sections.has(section))).toEqual([]);
  });
});

describe('a document that is wrong', () => {
  const problemsOf = (markdown: string): string[] => findProblems(inputsOf('docs/example.md', markdown));

  it.each([
    ['a type', 'Use a `GlobularLayer` for it.', 'GlobularLayer'],
    ['a function', 'then `createGlobularLayer(backend, options)`', 'createGlobularLayer'],
    ['a call in small letters', 'call `frobnicate()`', 'frobnicate'],
    ['a member', 'see `layer.frobnicate`', 'frobnicate'],
    ['an option', 'give `{ globularRate: 2 }`', 'globularRate'],
    ['an environment variable', 'set `VASTMAX_GLOBULAR_RATE`', 'VASTMAX_GLOBULAR_RATE'],
    ['a name in a table', '| `a` | `number \\| GlobularLayer` |', 'GlobularLayer'],
    ['an option of a command', 'give `--globular-rate 3`', '--globular-rate'],
    ['an option in a block', 'run\n\n    vastmax train text.txt --globular-rate 3', '--globular-rate'],
    ['a command', 'run `vastmax frobnicate model`', 'frobnicate'],
    ['a bench', 'run `pnpm --silent bench frobnicate`', 'frobnicate'],
    ['a package', 'from `@vastmax/globular-losses`', '@vastmax/globular-losses'],
    ['an entry point', 'from `@vastmax/sparse-data/globular`', '@vastmax/sparse-data/globular'],
    ['a path', 'in `packages/autodiff/src/globular.ts`', 'packages/autodiff/src/globular.ts'],
    ['a path in prose', 'in packages/autodiff/test/globular.test.ts', 'packages/autodiff/test/globular.test.ts'],
    ['a file by name', 'see `globular.test.ts`', 'globular.test.ts'],
    ['an import', "```ts\nimport { Globe } from '@vastmax/autodiff';\n```", '@vastmax/autodiff does not export Globe'],
    ['a name in a program', '```js\nconst a = new GlobularLayer();\n```', 'GlobularLayer'],
    ['a link', '[there](globular.md)', 'globular.md'],
    ['a link to a heading', '[there](mathematics.md#globular)', 'docs/mathematics.md has no heading #globular'],
    ['a link to a heading of its own', '# One\n\n[there](#two)', 'docs/example.md has no heading #two'],
  ])('is reported with its line: %s', (_, markdown, named) => {
    expect(problemsOf(`First line.\n\n${markdown}\n`)).toEqual([
      expect.stringMatching(/^docs\/example\.md:(?:3|4|5): /) as string,
    ]);
    expect(problemsOf(markdown)[0]).toContain(named);
  });

  it('and one that is right is not', () => {
    const right = [
      '# Title: of `this` page, §1',
      'A `Tape`, `createPlainBackend()`, `backend.settled`, `{ learningRate }`, and `O(m·d)` or `x = 3`; `create…Layer`.',
      '`@vastmax/sparse-data/node`, `packages/autodiff`, `vastmax train --batch 3`, `VASTMAX_MPI_LIBRARY`, `package.json`.',
      '[up](#title-of-this-page-1), [the step](mathematics.md#3-the-exact-step), [web](https://example.org/none#at)',
      '```ts\nimport { Tape } from "@vastmax/autodiff";\nconst myTape = new Tape(backend);\n```',
      'Declared above: `myTape`.',
    ];
    expect(problemsOf(right.join('\n\n'))).toEqual([]);
  });

  it('has its code blocks told from its prose', () => {
    const { spans, blocks, headings, links } = parseMarkdown(
      '# A\n\n- item\n\n    its `second` part\n\n    x `y`\n\nprose\n\n    code `z` [l](m)\n\n```sh\n# B\n```\n',
    );
    expect(spans.map(({ text }) => text)).toEqual(['second', 'y']);
    expect(blocks.map(({ line, text }) => [line, text])).toEqual([
      [11, '    code `z` [l](m)'],
      [14, '# B'],
    ]);
    expect(headings).toEqual(['A']);
    expect(links).toEqual([]);
  });

  it('has repeated headings numbered, and letters of any language kept', () => {
    expect([...anchorsOf(['Two Words', 'Two words', 'The `span`: 3b.', 'Größe'])]).toEqual([
      'two-words',
      'two-words-1',
      'the-span-3b',
      'größe',
    ]);
  });

  it('is found by a citation of a section over two lines', () => {
    expect(findCitations(' * a\n * (mathematics.md\n * §12b; x) mathematics.md §3')).toEqual([
      { section: '12b', line: 2 },
      { section: '3', line: 3 },
    ]);
    expect([...sectionsOf(['1. A', '3b. B', 'C', '10 D'])]).toEqual(['1', '3b']);
  });
});
