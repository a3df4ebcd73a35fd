import { LinalgError } from '../errors.ts';
import type { Matrix } from '../handles.ts';
import { checkAlive, checkShape } from './checks.ts';

/**
 * Call the kernels of `body`, which write only if `flag` is above 0 as of now (not 0, below, or NaN): a decision that
 * no host has to wait for. Writing and reading from the host, new handles and what `body` does besides are not held
 * back. Not to be nested.
 * @param flag 1×1, on a backend that has the optional `guard`.
 */
export function guarded(flag: Matrix, body: () => void): void {
  const { backend } = flag;
  checkAlive('guarded', 'flag', flag);
  checkShape('guarded', 'flag', flag, 1, 1);
  if (backend.guard === undefined) {
    throw new LinalgError(
      'bad-option',
      `guarded: the backend '${backend.name}' has no guard; read the flag and decide on the host`,
    );
  }
  backend.guard(flag);
  try {
    body();
  } finally {
    backend.guard(undefined);
  }
}
