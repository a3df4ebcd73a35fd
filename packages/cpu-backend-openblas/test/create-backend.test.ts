import { isLinalgError, type Backend } from '@vastmax/linalg-core';
import {
  createOpenBlasBackend,
  probeOpenBlasBackend,
  type OpenBlasBackendOptions,
} from '@vastmax/cpu-backend-openblas';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { nativeLibrary } from './native-library.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

async function refusal(options: OpenBlasBackendOptions): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await createOpenBlasBackend(options);
  } catch (error) {
    if (isLinalgError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was created');
}

describe('createOpenBlasBackend', () => {
  it('names precision and threads', async ({ skip }) => {
    const library = nativeLibrary((reason) => skip(reason));
    const names = async (options: OpenBlasBackendOptions): Promise<[string, string]> => {
      const backend: Backend = await createOpenBlasBackend(options);
      await backend.dispose();
      return [backend.name, backend.precision];
    };
    expect((await names({}))[0]).toMatch(/^openblas f32, (\d+ threads?|the library's threads)$/);
    if (library.threads === undefined) return;
    expect(await names({ threads: 2 })).toEqual(['openblas f32, 2 threads', 'f32']);
    expect(await names({ precision: 'f64', threads: 1 })).toEqual(['openblas f64, 1 thread', 'f64']);
  });

  it('refuses options that cannot be', async () => {
    const wrong = { precision: 'f16' } as unknown as OpenBlasBackendOptions;
    expect(await refusal(wrong)).toEqual({
      code: 'bad-option',
      message: "createOpenBlasBackend: precision must be 'f32' or 'f64', got 'f16'",
    });
    for (const threads of [0, -1, 1.5, 1025, Number.NaN, Infinity]) {
      expect(await refusal({ threads })).toEqual({
        code: 'bad-option',
        message: `createOpenBlasBackend: threads must be a whole number from 1 to 1024, got ${threads}`,
      });
    }
  });

  it('says of a named library what probe says', async () => {
    const library = '/nowhere/libopenblas.so.0';
    const probe = await probeOpenBlasBackend({ library });
    const reason = probe.available ? '' : probe.reason;
    expect(reason).toContain(library);
    expect(await refusal({ library })).toEqual({ code: 'bad-option', message: `createOpenBlasBackend: ${reason}` });
    vi.stubEnv('VASTMAX_BLAS_LIBRARY', '/elsewhere/libblas.so');
    expect((await refusal({})).message).toContain('VASTMAX_BLAS_LIBRARY: /elsewhere/libblas.so could not be loaded');
  });
});
