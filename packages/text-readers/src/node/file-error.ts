import { SparseDataError } from '@vastmax/sparse-data';

/** What a failed open or read means, as a typed error with the system's own as its cause; other errors as they are. */
export function fileError(where: string, path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const cause = { cause: error };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new SparseDataError('missing-file', `${where}: there is no file ${path}; check the path`, cause);
  if (error.code === 'EISDIR')
    return new SparseDataError('not-a-file', `${where}: ${path} is a directory; a file is needed`, cause);
  return new SparseDataError(
    'unreadable-file',
    `${where}: ${path} cannot be read (${error.message}); check its permissions and its disk`,
    cause,
  );
}
