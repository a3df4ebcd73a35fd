/**
 * The workers of one backend and their health. They are controlled through the shared memory only; see assembly/run.ts
 * for how work is shared.
 */
import { LinalgError } from '@vastmax/linalg-core';
import { isLost, markLost, timeoutOf, stopWorkers, shareJobs } from './control-words.ts';
import type { WasmMemory, WasmModule } from './web-assembly.ts';
import { startWorker, type HostWork, type TeamMember } from './worker-host.ts';

export class WorkerTeam {
  readonly members: readonly TeamMember[];
  readonly #memory: WasmMemory;
  readonly #health: { reason: string | undefined };

  constructor(members: readonly TeamMember[], memory: WasmMemory, health: { reason: string | undefined }) {
    this.members = members;
    this.#memory = memory;
    this.#health = health;
  }

  /**
   * `device-lost` with the reason, once a worker has died or not finished its work; undefined while all are healthy.
   */
  findLoss(): LinalgError | undefined {
    if (!isLost(this.#memory)) return undefined;
    const reason =
      this.#health.reason ?? `no worker finished its part of a kernel within ${timeoutOf(this.#memory)} ms`;
    return new LinalgError(
      'device-lost',
      `wasm backend: ${reason}; results since then may be wrong: dispose it and create another`,
    );
  }

  /** Resolves when all workers have ended. */
  async dispose(): Promise<void> {
    stopWorkers(this.#memory);
    await Promise.all(this.members.map((member) => member.end()));
  }
}

/**
 * `threads` − 1 workers over `memory`, all of them running.
 * @throws the error of the host where it does not allow workers; workers that had started are then stopped
 */
export async function createWorkerTeam(
  module: WasmModule,
  memory: WasmMemory,
  threads: number,
  work?: HostWork,
): Promise<WorkerTeam> {
  const health: { reason: string | undefined } = { reason: undefined };
  const lost = (reason: string): void => {
    health.reason ??= reason;
    markLost(memory);
  };
  const members: TeamMember[] = [];
  try {
    for (let thread = 1; thread < threads; thread++) members.push(startWorker({ module, memory, thread, work }, lost));
    await Promise.all(members.map((member) => member.ready));
  } catch (error) {
    stopWorkers(memory);
    for (const member of members) member.ready.catch(() => undefined);
    await Promise.allSettled(members.map((member) => member.end()));
    throw error;
  }
  for (const member of members) member.release();
  shareJobs(memory, threads);
  return new WorkerTeam(members, memory, health);
}
