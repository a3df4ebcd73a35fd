/**
 * Where a BLAS is searched for, best first, and what to install where there is none. The system's loader resolves a
 * name without a folder.
 */

/** The environment variable that names the library instead. */
export const libraryVariable = 'VASTMAX_BLAS_LIBRARY';

const linuxFolders: Readonly<Record<string, string>> = {
  x64: '/usr/lib/x86_64-linux-gnu',
  arm64: '/usr/lib/aarch64-linux-gnu',
};

/** For `process.platform` and `process.arch`. */
export function libraryCandidates(platform: string, architecture: string): readonly string[] {
  if (platform === 'darwin') {
    return [
      '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
      '/usr/local/opt/openblas/lib/libopenblas.dylib',
      '/opt/local/lib/libopenblas.dylib',
      'libopenblas.dylib',
      '/System/Library/Frameworks/Accelerate.framework/Accelerate',
    ];
  }
  if (platform === 'win32') return ['libopenblas.dll', 'openblas.dll', 'mkl_rt.2.dll', 'mkl_rt.1.dll'];
  const folder = linuxFolders[architecture];
  return [
    // Fedora's build with threads; its libopenblas.so.0 is the one without.
    'libopenblasp.so.0',
    'libopenblas.so.0',
    'libopenblas.so',
    ...(folder === undefined ? [] : [`${folder}/openblas-pthread/libopenblas.so.0`]),
    '/opt/OpenBLAS/lib/libopenblas.so',
    '/usr/local/lib/libopenblas.so',
    '/home/linuxbrew/.linuxbrew/opt/openblas/lib/libopenblas.so',
    'libblis.so.4',
    'libblis.so',
    'libmkl_rt.so.2',
    '/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so.2',
    'libcblas.so.3',
    'libblas.so.3',
  ];
}

export const whatToInstall: string =
  'install OpenBLAS: Debian and Ubuntu `apt-get install libopenblas0-pthread`, Fedora `dnf install openblas-threads`, macOS `brew install openblas`, ' +
  'Windows the x64 archive of https://github.com/OpenMathLib/OpenBLAS/releases with the folder of its libopenblas.dll on PATH; ' +
  `or set ${libraryVariable} to the path of a BLAS library`;
