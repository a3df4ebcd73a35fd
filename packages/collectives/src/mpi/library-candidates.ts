/**
 * Where an MPI library is searched for, and what to install where there is none. The system's loader resolves a name
 * without a folder.
 */
import type { MpiFamilyName } from './mpi-family.ts';

/** The environment variable that names the library instead. */
export const libraryVariable = 'VASTMAX_MPI_LIBRARY';

type Environment = Readonly<Record<string, string | undefined>>;

/** The launcher of this process, recognised by the variables that it sets; undefined without a known one. */
export function launcherOf(
  environment: Environment,
): { readonly family: MpiFamilyName; readonly size: number; readonly variable: string } | undefined {
  for (const [variable, family] of [
    ['OMPI_COMM_WORLD_SIZE', 'Open MPI'],
    ['PMI_SIZE', 'MPICH'],
  ] as const) {
    const size = Number(environment[variable]);
    if (environment[variable] !== undefined && Number.isSafeInteger(size) && size >= 1)
      return { family, size, variable };
  }
  return undefined;
}

/**
 * The candidates for `process.platform`; the family of the launcher first, because with a library of another family
 * each process would be a separate job of one rank.
 */
export function libraryCandidates(platform: string, environment: Environment): readonly string[] {
  const families: Record<MpiFamilyName, readonly string[]> =
    platform === 'darwin'
      ? {
          'Open MPI': [
            '/opt/homebrew/lib/libmpi.40.dylib',
            '/usr/local/lib/libmpi.40.dylib',
            '/opt/local/lib/openmpi-mp/libmpi.40.dylib',
            'libmpi.40.dylib',
          ],
          MPICH: [
            '/opt/homebrew/lib/libmpi.12.dylib',
            '/usr/local/lib/libmpi.12.dylib',
            '/opt/local/lib/mpich-mp/libmpi.12.dylib',
            'libmpi.12.dylib',
          ],
          'MPI ABI': ['/opt/homebrew/lib/libmpi_abi.0.dylib', 'libmpi_abi.0.dylib'],
        }
      : {
          'Open MPI': [
            'libmpi.so.40',
            '/usr/lib64/openmpi/lib/libmpi.so.40',
            '/usr/local/lib/libmpi.so.40',
            '/opt/openmpi/lib/libmpi.so.40',
          ],
          MPICH: ['libmpich.so.12', 'libmpi.so.12', '/usr/lib64/mpich/lib/libmpi.so.12', '/usr/local/lib/libmpi.so.12'],
          'MPI ABI': ['libmpi_abi.so.0'],
        };
  if (platform === 'win32') return [];
  const order: MpiFamilyName[] =
    launcherOf(environment)?.family === 'MPICH' ? ['MPICH', 'MPI ABI', 'Open MPI'] : ['Open MPI', 'MPICH', 'MPI ABI'];
  return order.flatMap((family) => families[family]);
}

export const whatToInstall: string =
  'install Open MPI: Debian and Ubuntu `apt-get install openmpi-bin libopenmpi3`, Fedora `dnf install openmpi` and `module load mpi/openmpi-x86_64`, ' +
  'macOS `brew install open-mpi`; or MPICH: Debian `apt-get install mpich libmpich12`, Fedora `dnf install mpich`, macOS `brew install mpich`; ' +
  `on a cluster load its MPI module, or set ${libraryVariable} to the path of its libmpi`;
