import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';

/** Where a measurement was made. */
export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** ISO 8601, UTC. */
  readonly date: string;
}

export function describeMachine(): Machine {
  return {
    node: process.version,
    platform: `${platform()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    date: new Date().toISOString(),
  };
}
