/** The programs of programs/ as jobs of ranks. */
import { startThreadRanks, type ThreadRanksOptions } from '@vastmax/collectives';
import { bundleProgram } from '@vastmax/test-programs';

/** What each rank answers. */
export async function runOnThreads(
  program: string,
  size: number,
  data?: unknown,
  options: Partial<ThreadRanksOptions> = {},
): Promise<unknown[]> {
  const module = await bundleProgram(new URL(`programs/${program}.ts`, import.meta.url));
  return startThreadRanks({ size, module, data, timeoutMs: 900_000, ...options });
}

/** What each rank answers to a scenario of programs/scenarios. */
export async function playOnThreads<Answer>(
  name: string,
  size: number,
  request?: unknown,
  options: Partial<ThreadRanksOptions> = {},
): Promise<Answer[]> {
  return (await runOnThreads('thread-scenario', size, { name, request }, options)) as Answer[];
}
