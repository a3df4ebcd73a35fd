// `pnpm reference`: the reference of every package, as pages in reference/, from the docstrings of what it exports.

import { readdirSync, readFileSync } from 'node:fs';

const entryPoints = readdirSync('packages').flatMap((name) => {
  const { exports } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'));
  const sources = Object.values(exports).map((conditions) => conditions['@vastmax/source']);
  return sources.filter((source) => source !== undefined).map((source) => `packages/${name}/${source}`);
});

export default {
  name: 'vastmax',
  entryPoints,
  tsconfig: 'tsconfig.json',
  // `pnpm types` checks them.
  skipErrorChecking: true,
  out: 'reference',
  readme: 'README.md',
  excludePrivate: true,
  excludeInternal: true,
  githubPages: false,
  disableGit: true,
  sourceLinkTemplate: 'https://github.com/vastmax/vastmax/blob/main/{path}#L{line}',
  validation: { notExported: false, invalidLink: true, rewrittenLink: false, invalidPath: false },
};
