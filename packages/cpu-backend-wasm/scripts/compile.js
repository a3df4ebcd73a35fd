// The AssemblyScript compiler as one function, for the kernels of the package and for those that apps/bench/lab
// compares them with.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const options = [
  '-O3',
  '--noAssert',
  '--converge',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--importMemory',
  '--noExportMemory',
  '--initialMemory',
  '1',
];

/**
 * @param {string} entry relative to `folder`
 * @param {readonly string[]} [more] options of the compiler besides those that all variants have
 * @param {string} [folder] with the entry and, in its node_modules, the packages that it imports; this package unless
 * given
 * @returns {Promise<Uint8Array>} the WebAssembly module
 */
export async function compile(entry, more = [], folder = packageFolder) {
  /** @type {Uint8Array | undefined} */
  let binary;
  const messages = asc.createMemoryStream();
  const { error } = await asc.main([entry, '--baseDir', folder, '--outFile', 'kernels.wasm', ...options, ...more], {
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
  if (error !== null || binary === undefined)
    throw new Error(`${entry} does not compile:\n${messages.toString()}`, { cause: error });
  return binary;
}
