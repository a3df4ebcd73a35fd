/** Runs one case on one backend, cleans up, and checks for leaks. */
import { memoryDifference, Scope, type Backend } from '@vastmax/linalg-core';
import { ConformanceFailure } from './comparison.ts';
import type { ConformanceCase, OptionalKernel } from './conformance-case.ts';
import { createRandom } from './random.ts';

/** The backend that a case runs on, and how it creates another one. */
export interface CaseEnvironment {
  readonly backend: Backend;
  readonly create: () => Backend | Promise<Backend>;
  /** See BackendUnderTest. */
  readonly tablePieceBytes?: number;
}

/** The plain backend's pieces. */
const defaultTablePieceBytes: number = 16 * 1024 * 1024;

/** Optional kernels that the case needs and the backend does not have. */
export function missingKernels(conformanceCase: ConformanceCase, backend: Backend): readonly OptionalKernel[] {
  return conformanceCase.needs.filter((kernel) => backend[kernel] === undefined);
}

/**
 * Resolves when the case passes without leaks.
 * @throws ConformanceFailure, or the error of the backend.
 */
export async function runCase(conformanceCase: ConformanceCase, environment: CaseEnvironment): Promise<void> {
  const { backend } = environment;
  const before = backend.memory();
  await withContext(conformanceCase.id, environment, (context) => conformanceCase.run(context));
  const left = memoryDifference(backend.memory(), before);
  if (left.matrices !== 0 || left.tables !== 0 || left.indices !== 0 || left.bytes !== 0) {
    throw new ConformanceFailure(
      `leak: after the case memory() differs by ${left.matrices} matrices, ${left.tables} tables, ${left.indices} index lists and ${left.bytes} bytes; every handle of the case was disposed`,
    );
  }
}

/** Runs `body` with a context whose scope and further backends are always disposed afterwards. */
export async function withContext<T>(
  id: string,
  { backend, create, tablePieceBytes = defaultTablePieceBytes }: CaseEnvironment,
  body: (context: Parameters<ConformanceCase['run']>[0]) => T | Promise<T>,
): Promise<T> {
  const others: Backend[] = [];
  try {
    using scope = new Scope(backend);
    const createBackend = async (): Promise<Backend> => {
      const other = await create();
      others.push(other);
      return other;
    };
    const result = await body({ backend, scope, random: createRandom(id), tablePieceBytes, createBackend });
    await backend.synchronize();
    return result;
  } finally {
    for (const other of others) if (other !== backend && !other.disposed) await other.dispose();
  }
}
