import { describe, expect, it } from 'vitest';
import { probeMpi } from '@vastmax/collectives';
import { findMpi } from '../../src/mpi/find-mpi.ts';
import { launcherOf, libraryCandidates } from '../../src/mpi/library-candidates.ts';
import type { LoadNativeLibrary } from '../../src/mpi/mpi-functions.ts';

/** Libraries that exist by name alone. */
function imaginary(
  libraries: Readonly<
    Record<string, { readonly lacks?: string; readonly version: string; readonly symbols?: readonly string[] }>
  >,
): LoadNativeLibrary {
  return (file) => {
    const library = libraries[file];
    if (library === undefined) throw new Error('No such file or directory');
    return {
      path: file,
      addressOf: (symbol) => (library.symbols?.includes(symbol) === true ? 4096n : undefined),
      func: (name) => {
        if (name === library.lacks) throw new Error(`no function ${name}`);
        return (...values) => {
          const [text, length] = values;
          if (name === 'MPI_Get_library_version' && text instanceof Uint8Array && length instanceof Int32Array) {
            const bytes = new TextEncoder().encode(library.version);
            text.set(bytes);
            length[0] = bytes.length;
          }
          return 0;
        };
      },
    };
  };
}

const openMpiSymbols = ['ompi_mpi_comm_world', 'ompi_mpi_byte', 'ompi_mpi_errors_return'];
const search = (
  libraries: Parameters<typeof imaginary>[0],
  candidates: readonly string[],
  library?: string,
): ReturnType<typeof findMpi> =>
  findMpi({ environment: {}, candidates, library, createLoader: () => Promise.resolve(imaginary(libraries)) });

describe('without a library', () => {
  it('says what to install everywhere, which variable names one, and where it looked', async () => {
    const found = await search({}, ['libabsent.so.1', '/opt/absent.so']);
    if (found.library !== undefined) throw new Error('a library was found');
    expect(found.reason).toMatch(/^no MPI library was found; install Open MPI: /);
    for (const words of [
      'Debian',
      'openmpi-bin libopenmpi3',
      'Fedora',
      'dnf install openmpi',
      'macOS',
      'brew install open-mpi',
      'MPICH',
      'libmpich12',
      'VASTMAX_MPI_LIBRARY',
    ]) {
      expect(found.reason).toContain(words);
    }
    expect(found.reason).toMatch(/looked for: libabsent\.so\.1, \/opt\/absent\.so$/);
  });

  it('says why one that is there is of no use, and goes on to the next', async () => {
    const old = { version: 'MPI 2', lacks: 'MPI_Iallgatherv' };
    const alone = await search({ 'libold.so': old }, ['libold.so']);
    expect(alone).toMatchObject({
      reason: expect.stringContaining('libold.so has no function MPI_Iallgatherv: it is no library of MPI 3') as string,
    });
    const found = await search({ 'libold.so': old, 'libmpich.so.12': { version: 'MPICH Version:\t4.0.2\nmore' } }, [
      'libold.so',
      'libmpich.so.12',
    ]);
    expect(found.library).toMatchObject({
      path: 'libmpich.so.12',
      version: 'MPICH Version: 4.0.2',
      family: { name: 'MPICH', handle: 'int', world: 0x44000000 },
    });
  });

  it('does not look past one that is named', async () => {
    const libraries = { 'libmpi.so.40': { version: 'Open MPI v4.1.4, package', symbols: openMpiSymbols } };
    expect(await search(libraries, ['libmpi.so.40'], '/nowhere/libmpi.so')).toMatchObject({
      reason: expect.stringMatching(/^library: \/nowhere\/libmpi\.so could not be loaded/) as string,
    });
    const byVariable = await findMpi({
      environment: { VASTMAX_MPI_LIBRARY: 'libother.so' },
      candidates: ['libmpi.so.40'],
      createLoader: () => Promise.resolve(imaginary(libraries)),
    });
    expect(byVariable).toMatchObject({
      reason: expect.stringMatching(/^VASTMAX_MPI_LIBRARY: libother\.so could not be loaded/) as string,
    });
    expect((await search(libraries, ['libmpi.so.40'])).library).toMatchObject({
      version: 'Open MPI v4.1.4',
      family: { name: 'Open MPI', handle: 'void *', world: 4096n },
    });
  });

  it('says that koffi is missing where it is', async () => {
    const found = await findMpi({
      environment: {},
      createLoader: () => Promise.reject(new Error("Cannot find package 'koffi'\nimported from here")),
    });
    expect(found).toMatchObject({
      reason: expect.stringMatching(
        /^koffi, which calls native libraries, cannot be used here: Cannot find package 'koffi'; reinstall/,
      ) as string,
    });
  });
});

describe('which library', () => {
  it('is that of the launcher, so that ranks find each other', () => {
    expect(libraryCandidates('linux', { OMPI_COMM_WORLD_SIZE: '4' })[0]).toBe('libmpi.so.40');
    expect(libraryCandidates('linux', { PMI_SIZE: '4' })[0]).toBe('libmpich.so.12');
    expect(libraryCandidates('linux', {})[0]).toBe('libmpi.so.40');
    expect(libraryCandidates('darwin', {})[0]).toContain('libmpi.40.dylib');
    expect(libraryCandidates('win32', {})).toEqual([]);
    expect(launcherOf({ PMI_SIZE: '3' })).toEqual({ family: 'MPICH', size: 3, variable: 'PMI_SIZE' });
    expect(launcherOf({ PMI_SIZE: 'three' })).toBeUndefined();
  });

  it('with the ABI of MPI 5 is known by its name', async () => {
    const found = await search({ 'libmpi_abi.so.0': { version: 'Open MPI v6', symbols: openMpiSymbols } }, [
      'libmpi_abi.so.0',
    ]);
    expect(found.library?.family).toMatchObject({ name: 'MPI ABI', world: 0x101n, byte: 0x247n });
  });
});

it('the probe says which library, or what to install', async () => {
  const probed = await probeMpi();
  if (probed.available) expect(probed.detail).toMatch(/^(Open MPI v|MPICH Version: ).+, /);
  else expect(probed.reason).toContain('install Open MPI');
  expect(await probeMpi({ library: '/nowhere/libmpi.so' })).toMatchObject({ available: false });
});
