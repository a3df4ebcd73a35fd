/** The programs of programs/ as jobs of ranks. */
import { probeMpi, startThreadRanks, type ThreadRanksOptions } from '@vastmax/collectives';
import {
  bundleProgram,
  findLaunchers,
  runUnderMpi as runFileUnderMpi,
  type Launcher,
  type MpiRun,
} from '@vastmax/test-programs';

const programNamed = (name: string): URL => new URL(`programs/${name}.ts`, import.meta.url);

export const launchers: readonly Launcher[] = findLaunchers(await probeMpi());

/** What each rank answers. */
export async function runOnThreads(
  program: string,
  size: number,
  data?: unknown,
  options: Partial<ThreadRanksOptions> = {},
): Promise<unknown[]> {
  const module = await bundleProgram(programNamed(program));
  return startThreadRanks({ size, module, data, timeoutMs: 900_000, ...options });
}

export function runUnderMpi(
  launcher: Launcher,
  program: string,
  size: number,
  ...rest: readonly string[]
): Promise<MpiRun> {
  return runFileUnderMpi(launcher, programNamed(program), size, ...rest);
}
