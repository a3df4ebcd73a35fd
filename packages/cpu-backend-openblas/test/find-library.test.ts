import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findLibrary, type LibrarySearch } from '../src/find-library.ts';
import { libraryCandidates } from '../src/library-candidates.ts';
import type { LoadNativeLibrary, NativeFunction } from '../src/native-functions.ts';
import { loaderWithout, nativeLibrary } from './native-library.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-blas-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const notALibrary = join(folder, 'libnotes.so');
writeFileSync(notALibrary, 'these are notes\n');

const nothing: NativeFunction = () => 0;

/** Libraries that exist by their names alone: each has the functions its list names, and answers 0 unless told. */
function imaginary(
  libraries: Readonly<
    Record<string, { readonly has: RegExp; readonly functions?: Readonly<Record<string, NativeFunction>> }>
  >,
): LoadNativeLibrary {
  return (file) => {
    const library = libraries[file];
    if (library === undefined) throw new Error('No such file or directory');
    return {
      path: `/imaginary/${file}`,
      func: (name) => {
        if (!library.has.test(name)) throw new Error(`no function ${name}`);
        return library.functions?.[name] ?? nothing;
      },
    };
  };
}

async function reasonOf(search: LibrarySearch): Promise<{ readonly reason: string; readonly named: boolean }> {
  const found = await findLibrary({ environment: {}, ...search });
  if (found.library !== undefined) throw new Error(`${found.library.path} was found`);
  return { reason: found.reason, named: found.named };
}

describe('without a library', () => {
  it('says what to install everywhere, which variable names one, and where it looked', async () => {
    const { reason, named } = await reasonOf({ candidates: ['libabsent.so.1', join(folder, 'absent.so')] });
    expect(named).toBe(false);
    expect(reason).toMatch(/^no BLAS library was found; install OpenBLAS: /);
    for (const words of [
      'Debian',
      'libopenblas0-pthread',
      'Fedora',
      'openblas-threads',
      'macOS',
      'brew install openblas',
      'Windows',
      'libopenblas.dll',
      'VASTMAX_BLAS_LIBRARY',
    ]) {
      expect(reason).toContain(words);
    }
    expect(reason).toMatch(/looked for: libabsent\.so\.1, .*absent\.so$/);
  });

  it('says why one that is there is of no use, and goes on to the next', async () => {
    const createLoader = (): Promise<LoadNativeLibrary> =>
      Promise.resolve(imaginary({ 'libmath.so': { has: /^sin$/ }, 'libblas.so': { has: /^cblas_/ } }));
    expect((await reasonOf({ candidates: ['libmath.so'], createLoader })).reason).toContain(
      '/imaginary/libmath.so has no function cblas_sgemm',
    );
    const found = await findLibrary({ environment: {}, candidates: ['libmath.so', 'libblas.so'], createLoader });
    expect(found.library?.path).toBe('/imaginary/libblas.so');
  });

  it('says that koffi is missing where it is', async () => {
    const createLoader = (): Promise<never> =>
      Promise.reject(new Error("Cannot find package 'koffi'\nimported from here"));
    const { reason } = await reasonOf({ createLoader });
    expect(reason).toMatch(
      /^koffi, which calls native libraries, cannot be used here: Cannot find package 'koffi'; reinstall/,
    );
  });
});

describe('a library that is named', () => {
  it('is not looked past when it is not there', async () => {
    for (const search of [
      { library: '/nowhere/libblas.so' },
      { environment: { VASTMAX_BLAS_LIBRARY: '/nowhere/libblas.so' } },
    ]) {
      const { reason, named } = await reasonOf(search);
      expect(named).toBe(true);
      expect(reason).toMatch(
        /^(library|VASTMAX_BLAS_LIBRARY): \/nowhere\/libblas\.so could not be loaded \(.+\); name the shared library of a BLAS/,
      );
    }
  });

  it('is refused when it is no library', async () => {
    expect((await reasonOf({ library: notALibrary })).reason).toContain(`${notALibrary} could not be loaded`);
  });

  it('is refused when it has no CBLAS, and the missing function is named', async () => {
    const { reason, named } = await reasonOf({
      library: 'libmath.so',
      createLoader: () => Promise.resolve(imaginary({ 'libmath.so': { has: /^sin$/ } })),
    });
    expect(named).toBe(true);
    expect(reason).toBe(
      'library: /imaginary/libmath.so has no function cblas_sgemm: it is not a BLAS with the C interface; name one that is, such as libopenblas.so.0',
    );
    const half = imaginary({ 'libhalf.so': { has: /^cblas_(s|dge)/ } });
    expect((await reasonOf({ library: 'libhalf.so', createLoader: () => Promise.resolve(half) })).reason).toContain(
      'has no function cblas_dsyrk',
    );
  });

  it('is refused when its integers have 64 bits', async () => {
    // As getrf of such a library does: pivots 1 and 2, eight bytes each.
    const wide: NativeFunction = (...values) => {
      const pivots = values[4];
      if (pivots instanceof Int32Array) pivots.set([1, 0, 2, 0]);
    };
    const lapack = imaginary({ 'libwide.so': { has: /^(cblas_|[sd]ge)/, functions: { sgetrf_: wide } } });
    const blis = imaginary({
      'libwide.so': { has: /^(cblas_|bli_info)/, functions: { bli_info_get_blas_int_type_size: () => 64n } },
    });
    for (const loader of [lapack, blis]) {
      const { reason } = await reasonOf({ library: 'libwide.so', createLoader: () => Promise.resolve(loader) });
      expect(reason).toContain('/imaginary/libwide.so was built with 64-bit integers (ILP64)');
    }
  });

  it('comes before the environment variable, an empty one is none', async () => {
    const createLoader = (): Promise<LoadNativeLibrary> =>
      Promise.resolve(imaginary({ one: { has: /^cblas_/ }, two: { has: /^cblas_/ } }));
    const environment = { VASTMAX_BLAS_LIBRARY: 'two' };
    expect((await findLibrary({ library: 'one', environment, createLoader })).library?.path).toBe('/imaginary/one');
    expect((await findLibrary({ environment, createLoader })).library?.path).toBe('/imaginary/two');
    expect(
      (await findLibrary({ environment: { VASTMAX_BLAS_LIBRARY: '' }, candidates: ['one'], createLoader })).library
        ?.path,
    ).toBe('/imaginary/one');
  });
});

describe('what is said of a library', () => {
  it('is its name, version and place, and what it lacks', async () => {
    const blis = { bli_info_get_version_str: () => '0.9.0', bli_thread_get_num_threads: () => 4n };
    const search = async (
      name: string,
      has: RegExp,
      functions: Readonly<Record<string, NativeFunction>> = {},
    ): Promise<string | undefined> =>
      (
        await findLibrary({
          library: name,
          environment: {},
          createLoader: () => Promise.resolve(imaginary({ [name]: { has, functions } })),
        })
      ).library?.description;
    expect(await search('libblis.so', /^(cblas_|bli_(info_get_version|thread))/, blis)).toBe(
      'BLIS 0.9.0, /imaginary/libblis.so; it has no LAPACK, so small systems are solved without it',
    );
    expect(await search('Accelerate', /^(cblas_|[sd]ge)/)).toBe(
      'Accelerate, /imaginary/Accelerate; its thread count cannot be set from here',
    );
  });

  it('is right for the one of this machine', async ({ skip }) => {
    const library = nativeLibrary((reason) => skip(reason));
    expect(library.description).toContain(library.path);
    const bare = await findLibrary({
      library: library.path,
      environment: {},
      createLoader: () => loaderWithout(/getrf_$/, /threads/i),
    });
    expect(bare.library?.lapack).toBeUndefined();
    expect(bare.library?.threads).toBeUndefined();
    expect(bare.library?.description).toMatch(/no LAPACK.*; its thread count cannot be set from here$/);
  });
});

it('every platform has a search list, OpenBLAS first', () => {
  for (const [platform, architecture] of [
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['linux', 'riscv64'],
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['freebsd', 'x64'],
  ] as const) {
    expect(libraryCandidates(platform, architecture)[0]).toMatch(/openblas/);
  }
  expect(libraryCandidates('darwin', 'arm64').at(-1)).toContain('Accelerate');
  expect(libraryCandidates('linux', 'arm64')).toContain('/usr/lib/aarch64-linux-gnu/openblas-pthread/libopenblas.so.0');
});
