// ESLint's own `no-restricted-imports`, generated for each package from the table. A plugin (eslint-plugin-boundaries,
// import-x) was not needed: it would resolve each import to a file, but the package name in the specifier is enough
// here. This rule does not check dynamic imports; `turbo boundaries` does.

import { allowedImports } from './allowed-imports.js';

/** @param {string} text */
const escape = (text) => text.replace(/[/\\^$*+?.()|[\]{}]/g, '\\$&');

/** @type {readonly { regex: string; message: string }[]} */
const everywhere = [
  {
    regex: '^@vastmax/[^/]+/(?:src|dist|test)(?:/|$)',
    message: 'Import a package by its entry points, not by the files inside it.',
  },
  {
    regex: '^(?:\\.\\./)+(?:.*/)?[^./][^/]*/(?:src|dist|test)(?:/|$)',
    message: 'A relative import stays inside its package; name the other package instead.',
  },
];

const ownIndex = {
  regex: '^\\.{1,2}(?:/\\.\\.)*(?:/index(?:\\.[jt]s)?)?/?$',
  message: 'index.ts is the surface for others; import the file that defines the name.',
};

/**
 * @param {string} name
 * @param {readonly string[]} allowed
 * @returns {{ regex: string; message: string }}
 */
function forbidOtherThan(name, allowed) {
  const permitted = allowed.map((entry) => (entry.includes('/') ? `${escape(entry)}$` : `${escape(entry)}(?:/|$)`));
  const exception = permitted.length > 0 ? `(?!${permitted.join('|')})` : '';
  const list = allowed.length > 0 ? allowed.join(', ') : 'no other package';
  return {
    regex: `^@vastmax/${exception}`,
    message: `${name} may import ${list} (tooling/import-direction/src/allowed-imports.js).`,
  };
}

/**
 * @param {string} files
 * @param {readonly { regex: string; message: string }[]} patterns
 * @returns {import('eslint').Linter.Config}
 */
const restrict = (files, patterns) => ({
  files: [files],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});

/**
 * Flat configuration blocks, of which later ones override earlier ones: a package that is missing from the table may
 * import no other.
 *
 * @returns {import('eslint').Linter.Config[]}
 */
export function createImportDirectionConfig() {
  return [
    restrict('{apps,tooling}/**/*.{js,ts}', everywhere),
    restrict('packages/**/*.ts', [...everywhere, forbidOtherThan('a package missing from the table', [])]),
    ...Object.entries(allowedImports).flatMap(([name, { src, test }]) => [
      restrict(`packages/${name}/src/**/*.ts`, [...everywhere, ownIndex, forbidOtherThan(name, src)]),
      restrict(`packages/${name}/test/**/*.ts`, [
        ...everywhere,
        forbidOtherThan(`a test of ${name}`, [name, ...src, ...test]),
      ]),
    ]),
  ];
}
