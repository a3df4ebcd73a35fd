/** hnswlib-node, where it is installed: a graph of neighbours, whose answers are approximate. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Rival {
  readonly method: string;
  search(query: Float32Array, k: number): readonly number[];
}

interface Hnswlib {
  readonly HierarchicalNSW: new (
    space: 'ip',
    width: number,
  ) => {
    initIndex(count: number, m: number, effort: number, seed: number): void;
    addPoint(vector: number[], label: number): void;
    setEf(effort: number): void;
    searchKnn(query: number[], k: number): { readonly neighbors: number[] };
  };
}

/** Links of a node and candidates while it is built: the defaults of its documentation. */
const links = 16;
const buildEffort = 200;

/**
 * @param folder where `npm install hnswlib-node` was run.
 * @param effort candidates of a search (ef).
 * @returns the rival, or why there is none.
 */
export function createRival(
  folder: string | undefined,
  vectors: Float32Array,
  width: number,
  effort: number,
): Rival | string {
  if (folder === undefined) return 'hnswlib-node was not asked for; --hnswlib names the folder where it is installed';
  let library: Hnswlib;
  try {
    library = createRequire(pathToFileURL(join(folder, 'package.json')))('hnswlib-node') as Hnswlib;
  } catch (error) {
    return `hnswlib-node cannot be loaded from ${folder}: ${(error as Error).message.split('\n', 1)[0] ?? ''}`;
  }
  const count = vectors.length / width;
  const index = new library.HierarchicalNSW('ip', width);
  index.initIndex(count, links, buildEffort, 1);
  for (let i = 0; i < count; i++) index.addPoint([...vectors.subarray(i * width, (i + 1) * width)], i);
  index.setEf(effort);
  return {
    method: `hnswlib ef ${effort}`,
    search: (query, k) => index.searchKnn([...query], k).neighbors,
  };
}
