/**
 * What the registry shows of a package beside its name: written once, in the manifest of the repository, and copied into
 * those of the packages by `pnpm metadata`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './published-packages.ts';

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly [field: string]: unknown;
}

interface Home extends Manifest {
  readonly homepage: string;
  readonly bugs: unknown;
  readonly repository: { readonly type: string; readonly url: string };
}

/** The address of a file or folder of the repository as people read it, without its path. */
export function sourceAddress(): string {
  return `${home().homepage.replace(/#.*/, '')}/blob/main/`;
}

/** Folders of the packages that are published, relative to the repository. */
export function publishedFolders(): readonly string[] {
  return ['packages', 'apps']
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => readManifest(folder).private !== true);
}

/** The manifest of a package as it should be. Keywords of its own stay, after those of all. */
export function manifestWithMetadata(folder: string): Manifest {
  const { homepage, bugs, repository, keywords: common = [] } = home();
  const { name, version, description, keywords = [], ...rest } = readManifest(folder);
  return {
    name,
    version,
    description: description ?? '',
    keywords: [...common, ...keywords.filter((word) => !common.includes(word))],
    ...rest,
    homepage: `${homepage.replace(/#.*/, '')}/tree/main/${folder}#readme`,
    bugs,
    repository: { ...repository, directory: folder },
  };
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

function home(): Home {
  return readManifest('.') as Home;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const folder of publishedFolders())
    writeFileSync(
      join(root, folder, 'package.json'),
      `${JSON.stringify(manifestWithMetadata(folder), undefined, 2)}\n`,
    );
