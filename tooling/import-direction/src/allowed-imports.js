// The one direction imports may go, as a table: each package against the workspace packages its `src` may import. An
// entry `name` allows every entry point of that package, `name/entry` that entry point only. Apps and tooling are
// absent: they may import anything, and nothing imports them. ESLint reads this table (src and tests apart, entry
// points apart); `turbo boundaries` reads its copy in turbo.json (whole packages, direct and transitive), which a test
// holds equal to it.

// Tests may choose a backend; the conformance suite comes with it, since turbo follows a backend's own devDependencies.
const backends = [
  'cpu-backend-wasm',
  'cpu-backend-openblas',
  'gpu-backend-webgpu',
  'software-gpu',
  'backend-conformance',
];
const belowTheLosses = ['linalg-core', 'sparse-data', 'autodiff', 'output-layer'];

/**
 * What `src` may import, and what `test` may import beside that.
 *
 * @type {Readonly<Record<string, { src: readonly string[]; test: readonly string[] }>>}
 */
export const allowedImports = {
  'linalg-core': { src: [], test: [] },
  'sparse-data': { src: [], test: [] },
  'text-readers': { src: ['sparse-data'], test: [] },
  'backend-conformance': { src: ['linalg-core'], test: [] },
  'cpu-backend-wasm': { src: ['linalg-core'], test: ['backend-conformance'] },
  'cpu-backend-openblas': { src: ['linalg-core', 'cpu-backend-wasm'], test: ['backend-conformance'] },
  'gpu-backend-webgpu': { src: ['linalg-core'], test: ['backend-conformance', 'software-gpu'] },
  // In tooling/, and the only parts of it that tests of packages import.
  'software-gpu': { src: [], test: [] },
  'rank-programs': { src: [], test: [] },
  autodiff: { src: ['linalg-core'], test: backends },
  'output-layer': { src: ['linalg-core', 'sparse-data', 'autodiff/testing'], test: backends },
  checkpoints: { src: ['linalg-core'], test: [] },
  'spherical-losses': { src: belowTheLosses, test: backends },
  'update-rules': { src: ['linalg-core', 'sparse-data'], test: backends },
  'softmax-losses': { src: [...belowTheLosses, 'update-rules'], test: backends },
  'hybrid-layer': { src: [...belowTheLosses, 'update-rules', 'spherical-losses', 'softmax-losses'], test: backends },
  collectives: { src: [], test: ['rank-programs'] },
  'distributed-layers': {
    src: [...belowTheLosses, 'update-rules', 'spherical-losses', 'softmax-losses', 'collectives'],
    test: [...backends, 'rank-programs'],
  },
  'lm-models': {
    src: [
      ...belowTheLosses,
      'update-rules',
      'spherical-losses',
      'softmax-losses',
      'hybrid-layer',
      'checkpoints',
      'collectives',
      'distributed-layers',
    ],
    test: [...backends, 'rank-programs'],
  },
};

/**
 * The `boundaries.tags` of turbo.json: one tag a package, named like its folder. Turbo knows neither tests nor entry
 * points.
 *
 * @returns {Record<string, { dependencies: { allow: string[] } }>}
 */
export function createTurboTags() {
  return Object.fromEntries(
    Object.entries(allowedImports).map(([name, { src, test }]) => {
      const packages = [...src, ...test].map((entry) => entry.replace(/\/.*/, ''));
      return [name, { dependencies: { allow: [...new Set(packages)].sort() } }];
    }),
  );
}
