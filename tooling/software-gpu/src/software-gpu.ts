/**
 * A software GPU for tests and benchmarks on machines without a GPU: SwiftShader from @sparticuz/chromium (Linux on
 * x64), used by Dawn (the package `webgpu`). It is unpacked once per version into node_modules/.cache (7 MB). Dawn
 * opens libvulkan.so.1 by name, and the dynamic linker uses only the LD_LIBRARY_PATH from the start of the process. But
 * a library that is already loaded is also found by name, so it is loaded here. With VASTMAX_VULKAN=system the driver
 * of the machine is used instead.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';

/** RTLD_NOW and RTLD_NODELETE: the library stays loaded although it is not a Node addon. */
const dlopenFlags = 2 | 0x1000;
const wanted = ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'];

let loading: Promise<void> | undefined;

/** After this, Dawn finds a GPU. @throws Error that says what is missing */
export function loadSoftwareGpu(): Promise<void> {
  loading ??= load();
  return loading;
}

/** The result of `probe` with the software GPU loaded, or the reason why there is none. */
export async function probeSoftwareGpu<Result>(
  probe: () => Promise<Result>,
): Promise<Result | { readonly available: false; readonly reason: string }> {
  try {
    await loadSoftwareGpu();
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
  return probe();
}

async function load(): Promise<void> {
  if (process.env['VASTMAX_VULKAN'] === 'system') return;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `SwiftShader comes for Linux on x64, not ${process.platform} on ${process.arch}; with a GPU, set VASTMAX_VULKAN=system`,
    );
  }
  const folder = await unpackOnce();
  process.env['VK_ICD_FILENAMES'] = join(folder, 'vk_swiftshader_icd.json');
  try {
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), dlopenFlags);
  } catch (error) {
    // The library was loaded; it is only not a Node addon.
    if (!String(error).includes('self-register')) throw error;
  }
}

/** Several processes may do this at the same time: each fills a temporary folder, and the first rename succeeds. */
async function unpackOnce(): Promise<string> {
  const packageFolder = resolve(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../..');
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const folder = resolve(import.meta.dirname, '../node_modules/.cache', `swiftshader-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const own = await mkdtemp(`${folder}-`);
  const archive = await promisify(brotliDecompress)(await readFile(join(packageFolder, 'bin/swiftshader.tar.br')));
  for (const { name, content } of filesOf(archive))
    if (wanted.includes(name)) await writeFile(join(own, name), content);
  await rename(own, folder).catch(() => rm(own, { recursive: true, force: true }));
  return folder;
}

/** A tar archive is blocks of 512 bytes: a header with the name and, in octal digits, the size, then the content. */
function* filesOf(archive: Buffer): Generator<{ readonly name: string; readonly content: Buffer }> {
  for (let at = 0; at + 512 <= archive.length;) {
    const name = archive.toString('latin1', at, at + 100).replace(/\0.*/s, '');
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8) || 0;
    if (name !== '') yield { name: name.replace(/^\.\//, ''), content: archive.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
