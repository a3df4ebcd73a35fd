/** The library of this machine is one case, a variable that names a missing one makes the other. */
import { probeOpenBlasBackend } from '@vastmax/cpu-backend-openblas';
import type { Backend, Precision } from '@vastmax/linalg-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBackend, describeBackend, gpuBackend } from '../../src/options/backend-choice.ts';
import type { TrainOptions } from '../../src/options/training-options.ts';
import { createBackendOf } from '../../src/run/run-folder.ts';
import { UsageError } from '../../src/terminal/errors.ts';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const missing = '/nowhere/libopenblas.so.0';

afterEach(() => {
  vi.unstubAllEnvs();
});

async function chosen(name: string, precision: Precision): Promise<{ readonly name: string; readonly text: string }> {
  const backend: Backend = await createBackend(name, precision);
  await backend.dispose();
  return { name: backend.name, text: describeBackend(backend) };
}

describe('createBackend', () => {
  it('takes openblas in both precisions where there is a library, and names it', async () => {
    const probe = await probeOpenBlasBackend();
    for (const precision of ['f32', 'f64'] as const) {
      const { name, text } = await chosen('auto', precision);
      if (probe.available) {
        expect(name).toMatch(new RegExp(`^openblas ${precision}, \\d+ threads?$`));
        expect(text).toBe(`${name} (${probe.detail})`);
      } else {
        expect(text).toContain('; not openblas: no BLAS library was found');
      }
    }
  });

  it('takes wasm, and plain for f64, where there is none, and says so', async () => {
    vi.stubEnv('VASTMAX_BLAS_LIBRARY', missing);
    const single = await chosen('auto', 'f32');
    expect(single.name).toMatch(/^wasm f32/);
    expect(single.text).toMatch(
      /^wasm f32.* \(WebAssembly .*\); not openblas: VASTMAX_BLAS_LIBRARY: \/nowhere\/libopenblas\.so\.0 could not be loaded/,
    );
    const double = await chosen('auto', 'f64');
    expect(double.text).toMatch(
      /^plain f64 \(plain TypeScript, one thread\); not openblas: .*; not wasm: it stores f32 only, --precision is f64$/,
    );
  });

  it('takes the one that is named, or says why not', async () => {
    expect((await chosen('wasm', 'f32')).name).toMatch(/^wasm f32/);
    expect(await chosen('plain', 'f32')).toEqual({
      name: 'plain f32',
      text: 'plain f32 (plain TypeScript, one thread)',
    });
    await expect(createBackend('wasm', 'f64')).rejects.toThrow(
      new UsageError('--backend wasm is not available: it stores f32 only, --precision is f64; or use --backend auto'),
    );
    await expect(createBackend('cuda', 'f32')).rejects.toThrow(
      new UsageError("--backend must be one of auto, openblas, wasm, plain, webgpu, got 'cuda'"),
    );
    vi.stubEnv('VASTMAX_BLAS_LIBRARY', missing);
    await expect(createBackend('openblas', 'f32')).rejects.toThrow(
      /^--backend openblas is not available: VASTMAX_BLAS_LIBRARY: .*; or use --backend auto$/,
    );
  });
});

describe('a run', () => {
  it('tries a GPU when it is new and in one process, not when it goes on or over ranks', async () => {
    const probe = vi.spyOn(gpuBackend, 'probe').mockResolvedValue({ available: false, reason: 'a test' });
    const options = { backend: 'auto' } as TrainOptions;
    const probesOf = async (resumed: Parameters<typeof createBackendOf>[0], overRanks: boolean): Promise<number> => {
      probe.mockClear();
      const { backend, name } = await createBackendOf(resumed, options, [], { precision: 'f32', overRanks });
      await backend.dispose();
      expect(name).toBe('auto');
      return probe.mock.calls.length;
    };
    const resumed = { precision: 'f32', options: { backend: 'auto' }, configuration: {} } as const;
    expect(await probesOf(undefined, false)).toBe(1);
    expect(await probesOf(undefined, true)).toBe(0);
    expect(await probesOf(resumed, false)).toBe(0);
    probe.mockRestore();
  });
});

describe('vastmax', () => {
  it('trains without the system library, and says what it took instead', async () => {
    vi.stubEnv('VASTMAX_BLAS_LIBRARY', missing);
    const { code, stdout, stderr } = await vastmax(folder, `train train.txt -o model ${toyModel} --epochs 1`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^backend +wasm f32.*; not openblas: /);
  });

  it('ends with a line and exit code 2 when openblas is asked for in vain', async () => {
    vi.stubEnv('VASTMAX_BLAS_LIBRARY', missing);
    const { code, stdout, stderr } = await vastmax(folder, `train train.txt -o other ${toyModel} --backend openblas`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^vastmax: --backend openblas is not available: VASTMAX_BLAS_LIBRARY: \/nowhere\/libopenblas\.so\.0 could not be loaded .*\n$/,
    );
  });
});
