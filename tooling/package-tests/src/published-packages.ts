// The packages that go to npm: every folder of packages/ whose manifest is not private and that has a src/index.ts.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

type Conditions = Readonly<Record<string, string>>;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | Conditions>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** An entry point of a package, e.g. `@vastmax/sparse-data/node`. */
interface EntryPoint {
  readonly specifier: string;
  /** Its source, relative to the package: `./src/index.ts`. */
  readonly source: string;
  /** Absolute path of the built declarations. */
  readonly declarations: string;
  /** Its code may call `describe` and `it`, so it loads only while vitest runs a test file. */
  readonly needsVitest: boolean;
}

export interface PublishedPackage {
  readonly name: string;
  readonly folder: string;
  readonly entryPoints: readonly EntryPoint[];
}

/** The root of the repository. */
export const root: string = resolve(import.meta.dirname, '../../..');

/** All published packages, by name. */
export function findPublishedPackages(): PublishedPackage[] {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((folder) => existsSync(join(folder, 'src/index.ts')))
    .flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
      if (manifest.private === true) return [];
      const hasVitest = 'vitest' in (manifest.peerDependencies ?? {});
      const isOptional = manifest.peerDependenciesMeta?.['vitest']?.optional === true;
      const entryPoints = Object.entries(manifest.exports).flatMap(([path, conditions]): EntryPoint[] => {
        if (typeof conditions === 'string') return [];
        const types = conditions['types'];
        const source = conditions['@vastmax/source'];
        if (types === undefined || source === undefined)
          throw new Error(`${manifest.name}: the export ${path} has no "types" or no "@vastmax/source" condition`);
        // If vitest is an optional peer dependency, the main entry point does not need it.
        const needsVitest = hasVitest && !(isOptional && path === '.');
        return [{ specifier: manifest.name + path.slice(1), source, declarations: join(folder, types), needsVitest }];
      });
      return [{ name: manifest.name, folder, entryPoints }];
    });
}
