// Compiles assembly/ and writes src/generated/kernel-binary.ts, which is committed so that tests and tools run the sources without a
// build. `--check` compiles and compares instead: exit 1 when the file is stale. The compiler is pinned, and its output is the same
// everywhere.
import { readFileSync, writeFileSync } from 'node:fs';
import { argv, exit, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('..', import.meta.url));
const generated = fileURLToPath(new URL('../src/generated/kernel-binary.ts', import.meta.url));
const options = ['-O3', '--noAssert', '--converge', '--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noExportMemory', '--initialMemory', '1'];

/**
 * The text of src/generated/kernel-binary.ts as assembly/ has it now.
 *
 * @returns {Promise<string>}
 */
async function compileKernels() {
  /** @type {Uint8Array | undefined} */
  let binary;
  const messages = asc.createMemoryStream();
  const { error } = await asc.main(['assembly/index.ts', '--baseDir', folder, '--outFile', 'kernels.wasm', ...options], {
    stdout: messages,
    stderr: messages,
    readFile: (name, baseDir) => {
      try {
        return readFileSync(`${baseDir}/${name}`, 'utf8');
      } catch {
        return null;
      }
    },
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`assembly/ does not compile:\n${messages.toString()}`, { cause: error });
  const lines = Buffer.from(binary).toString('base64').match(/.{1,120}/g) ?? [];
  return [
    '// Made by `pnpm --filter @vastmax/cpu-backend-wasm kernels` from assembly/; do not edit. A test compiles again and compares.',
    `/** The WebAssembly module of the kernels, ${binary.length} bytes, in base64. */`,
    'export const kernelBinary: string =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}

/** @returns {string} the committed text, empty when there is none */
function readGenerated() {
  try {
    return readFileSync(generated, 'utf8');
  } catch {
    return '';
  }
}

const text = await compileKernels();
if (!argv.includes('--check')) writeFileSync(generated, text);
else if (text !== readGenerated()) {
  stderr.write('src/generated/kernel-binary.ts is stale: run `pnpm --filter @vastmax/cpu-backend-wasm kernels`\n');
  exit(1);
}
