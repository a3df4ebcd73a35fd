import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { createMatrixFrom, gemm, isLinalgError, read, type Backend } from '@vastmax/linalg-core';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isLost, stopWorkers, shareJobs } from '../src/control-words.ts';
import { WasmHeap } from '../src/heap.ts';
import { compileKernels, requireWebAssembly } from '../src/kernel-variants.ts';
import { instantiateKernels } from '../src/kernels.ts';
import { createSharedMemory } from '../src/thread-support.ts';
import { createBackendOver } from '../src/wasm-backend.ts';
import type { WasmMemory } from '../src/web-assembly.ts';
import type { TeamMember } from '../src/worker-host.ts';
import { createWorkerTeam, WorkerTeam } from '../src/worker-team.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A backend with its parts in reach. */
async function createOpenBackend(
  team?: (memory: WasmMemory) => Promise<WorkerTeam>,
): Promise<{ backend: Backend; memory: WasmMemory; team: WorkerTeam }> {
  const { memory } = createSharedMemory(requireWebAssembly());
  const module = await compileKernels({ threaded: true, relaxed: false });
  const workers = await (team?.(memory) ?? createWorkerTeam(module, memory, 3));
  return {
    backend: createBackendOver(await instantiateKernels(module, memory), new WasmHeap(memory), workers),
    memory,
    team: workers,
  };
}

/** Long enough that workers take part, and with a result that is easy to know: every number is `size`. */
async function multiplyOnes(backend: Backend, size: number): Promise<ArrayLike<number>> {
  using a = createMatrixFrom(backend, size, size, new Float32Array(size * size).fill(1));
  using out = backend.createMatrix(size, size);
  gemm(a, a, out);
  return await read(out);
}

async function rejectionOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (isLinalgError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'none', message: '' };
}

describe('the option threads', () => {
  it.each([0, -1, 1.5, 65, Number.NaN, Infinity, '2'])('refuses %s', async (threads) => {
    const { code, message } = await rejectionOf(createWasmBackend({ threads: threads as number }));
    expect(code).toBe('bad-option');
    expect(message).toContain(`threads must be a whole number from 1 to 64, got ${threads}`);
  });

  it('is the number of cores unless given, and stands in the name', async () => {
    const cores = Math.min(64, availableParallelism());
    for (const [threads, expected] of [
      [undefined, cores],
      [1, 1],
      [5, 5],
    ] as const) {
      const backend = await createWasmBackend(threads === undefined ? {} : { threads });
      expect(backend.name).toBe(`wasm f32, ${expected} thread${expected === 1 ? '' : 's'}`);
      await backend.dispose();
    }
  });
});

describe('the workers', () => {
  it('take part', async () => {
    const { backend, memory } = await createOpenBackend();
    const done = new Int32Array(memory.buffer, 256, 1);
    let shared = 0;
    // A machine under load may not let them run at once.
    for (let i = 0; i < 2000 && shared === 0; i++) {
      await multiplyOnes(backend, 200);
      shared = done[0] ?? 0;
    }
    expect(shared).toBeGreaterThan(0);
    await backend.dispose();
  });

  it('end with the disposal of the backend', async () => {
    const { backend, team } = await createOpenBackend();
    await backend.dispose();
    for (const member of team.members) await expect(member.end()).resolves.toBeUndefined();
    expect(team.findLoss()).toBeUndefined();
  });

  it('do not keep the process alive', () => {
    const script = `
      const { createWasmBackend } = await import('@vastmax/cpu-backend-wasm');
      const { gemm } = await import('@vastmax/linalg-core');
      const backend = await createWasmBackend({ threads: 3 });
      const a = backend.createMatrix(300, 300);
      gemm(a, a, backend.createMatrix(300, 300));
      process.stdout.write(backend.name);`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--conditions=@vastmax/source', '--input-type=module', '--eval', script],
      { encoding: 'utf8', cwd: fileURLToPath(new URL('..', import.meta.url)) },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'wasm f32, 3 threads', stderr: '' });
  });
});

describe('a worker that dies', () => {
  it('is named by the next read and synchronize, and nothing hangs', async () => {
    const workers: Worker[] = [];
    class WatchedWorker extends Worker {
      constructor(source: string, options: WorkerOptions) {
        super(source, options);
        workers.push(this);
      }
    }
    const getBuiltinModule = process.getBuiltinModule.bind(process);
    const find = (name: string): unknown =>
      name === 'node:worker_threads' ? { Worker: WatchedWorker } : getBuiltinModule(name);
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(find as typeof process.getBuiltinModule);
    const { backend } = await createOpenBackend();
    expect((await multiplyOnes(backend, 100))[7]).toBe(100);
    await backend.synchronize();
    await workers[1]?.terminate();
    const { code, message } = await rejectionOf(multiplyOnes(backend, 300));
    expect(code).toBe('device-lost');
    expect(message).toMatch(/worker 2 exited with code 1.*dispose it and create another/);
    expect((await rejectionOf(backend.synchronize())).code).toBe('device-lost');
    await backend.dispose();
  });

  it('with a chunk in its hands is noticed by the thread that waits for it', async () => {
    const { backend, memory } = await createOpenBackend(createThief);
    let [code, message] = ['none', ''];
    // On a machine under load the thief may come too late for a chunk.
    while (code === 'none') ({ code, message } = await rejectionOf(multiplyOnes(backend, 300)));
    expect(code).toBe('device-lost');
    expect(message).toContain('no worker finished its part of a kernel within 100 ms');
    expect(isLost(memory)).toBe(true);
    // From now on the main thread works alone, and does not wait again.
    expect((await rejectionOf(multiplyOnes(backend, 300))).code).toBe('device-lost');
    await backend.dispose();
  });
});

/** A team of one that takes the first chunk there is and leaves with it. */
async function createThief(memory: WasmMemory): Promise<WorkerTeam> {
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    const ticket = new BigInt64Array(workerData.buffer, 128, 1);
    parentPort.postMessage('ready');
    for (;;) {
      const seen = Atomics.load(ticket, 0);
      if ((seen & 0xffffffffn) !== 0n && Atomics.compareExchange(ticket, 0, seen, seen - 1n) === seen) break;
    }`;
  const worker = new Worker(source, { eval: true, workerData: memory });
  await new Promise((resolve) => worker.once('message', resolve));
  shareJobs(memory, 2, 100);
  const end = async (): Promise<void> => {
    stopWorkers(memory);
    await worker.terminate();
  };
  const member: TeamMember = { ready: Promise.resolve(), release: () => undefined, end };
  return new WorkerTeam([member], memory, { reason: undefined });
}
