// Compiles assembly/ in four variants (single-threaded or multi-threaded, with and without relaxed SIMD) and writes
// them to src/generated/, which is committed so that tests and tools run the sources without a build. `--check`
// compiles and compares instead: exit 1 when a file is stale. The compiler is pinned, and its output is the same on
// every machine.
import { readFileSync, writeFileSync } from 'node:fs';
import { argv, exit, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.js';

const threads = ['--enable', 'threads', '--sharedMemory', '--maximumMemory', '65536'];
const relaxed = ['--enable', 'relaxed-simd'];
const variants = [
  { file: 'plain-kernels.ts', name: 'plainKernels', entry: 'assembly/index.ts', what: 'one thread', options: [] },
  {
    file: 'relaxed-kernels.ts',
    name: 'relaxedKernels',
    entry: 'assembly/index.ts',
    what: 'one thread, relaxed SIMD',
    options: relaxed,
  },
  {
    file: 'threaded-kernels.ts',
    name: 'threadedKernels',
    entry: 'assembly/threaded.ts',
    what: 'a shared memory',
    options: threads,
  },
  {
    file: 'threaded-relaxed-kernels.ts',
    name: 'threadedRelaxedKernels',
    entry: 'assembly/threaded.ts',
    what: 'a shared memory, relaxed SIMD',
    options: [...threads, ...relaxed],
  },
];

/**
 * The text of a file of src/generated/ for the current assembly/.
 *
 * @param {typeof variants[number]} variant
 * @returns {Promise<string>}
 */
async function compileVariant({ name, entry, what, options }) {
  const binary = await compile(entry, options);
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,120}/g) ?? [];
  return [
    '// Made by `pnpm --filter @vastmax/cpu-backend-wasm kernels` from assembly/; do not edit. A test compiles again and compares.',
    `/** The WebAssembly module of the kernels for ${what}, ${binary.length} bytes, in base64. */`,
    `export const ${name}: string =`,
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}

/**
 * @param {string} path
 * @returns {string} the committed text, empty when there is none
 */
function readGenerated(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

let stale = false;
for (const variant of variants) {
  const path = fileURLToPath(new URL(`../src/generated/${variant.file}`, import.meta.url));
  const text = await compileVariant(variant);
  if (!argv.includes('--check')) writeFileSync(path, text);
  else if (text !== readGenerated(path)) {
    stale = true;
    stderr.write(`src/generated/${variant.file} is stale: run \`pnpm --filter @vastmax/cpu-backend-wasm kernels\`\n`);
  }
}
if (stale) exit(1);
