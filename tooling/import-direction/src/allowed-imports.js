// The allowed directions of imports: for each package, the workspace packages that its `src` may import. An entry
// `name` allows every entry point of that package, `name/entry` only that entry point. Apps and tooling are not listed:
// they may import anything, and nothing imports them. ESLint reads this table (src and tests separately, and single
// entry points); `turbo boundaries` reads the copy in turbo.json (whole packages, direct and transitive), and a test
// checks that both are equal.

// Tests may use any backend. Turbo also checks the devDependencies of dependencies, so some entries of `test` are there
// for those: the conformance suite of the backends, test-programs of checkpoints, top-k of spherical-losses.
const backends = [
  'cpu-backend-wasm',
  'cpu-backend-openblas',
  'gpu-backend-webgpu',
  'software-gpu',
  'backend-conformance',
];
const belowTheLosses = ['linalg-core', 'sparse-data', 'autodiff', 'output-layer'];

const lmModels = {
  src: [
    ...belowTheLosses,
    'update-rules',
    'spherical-losses',
    'softmax-losses',
    'hybrid-layer',
    'checkpoints',
    'collectives',
    'distributed-layers',
    'top-k',
  ],
  test: [...backends, 'top-k', 'test-programs', 'test-hosts'],
};

/**
 * What `src` may import, and what `test` may import in addition.
 *
 * @type {Readonly<Record<string, { src: readonly string[]; test: readonly string[] }>>}
 */
export const allowedImports = {
  'linalg-core': { src: [], test: [] },
  'sparse-data': { src: [], test: [] },
  'text-readers': { src: ['checkpoints', 'sparse-data'], test: ['linalg-core', 'test-programs'] },
  'backend-conformance': { src: ['linalg-core'], test: [] },
  'cpu-backend-wasm': { src: ['linalg-core'], test: ['backend-conformance'] },
  'cpu-backend-openblas': { src: ['linalg-core', 'cpu-backend-wasm'], test: ['backend-conformance'] },
  'gpu-backend-webgpu': { src: ['linalg-core'], test: ['backend-conformance', 'software-gpu'] },
  // In tooling/; the only tooling packages that tests of packages import.
  'software-gpu': { src: [], test: [] },
  'test-programs': { src: [], test: [] },
  'test-hosts': { src: [], test: [] },
  autodiff: { src: ['linalg-core'], test: backends },
  'output-layer': { src: ['linalg-core', 'sparse-data', 'autodiff/testing'], test: backends },
  checkpoints: { src: ['linalg-core'], test: ['test-programs'] },
  'spherical-losses': { src: belowTheLosses, test: [...backends, 'top-k'] },
  'top-k': { src: ['linalg-core'], test: backends },
  'update-rules': { src: ['linalg-core', 'sparse-data'], test: backends },
  'softmax-losses': { src: [...belowTheLosses, 'update-rules'], test: backends },
  'hybrid-layer': {
    src: [...belowTheLosses, 'update-rules', 'spherical-losses', 'softmax-losses'],
    test: [...backends, 'top-k'],
  },
  collectives: { src: [], test: ['test-programs'] },
  'distributed-layers': {
    src: [...belowTheLosses, 'update-rules', 'spherical-losses', 'softmax-losses', 'hybrid-layer', 'collectives'],
    test: [...backends, 'top-k', 'test-programs'],
  },
  'lm-models': lmModels,
  onnx: {
    src: ['linalg-core', 'output-layer', 'spherical-losses', 'hybrid-layer', 'checkpoints', 'lm-models'],
    test: [...lmModels.src, ...lmModels.test],
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
