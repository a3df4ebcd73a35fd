/** Programs of programs/ on worker threads, which read the sources as the tests do. */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startThreadRanks } from '@vastmax/collectives';

const root = resolve(import.meta.dirname, '../../../..');
const tsx = pathToFileURL(
  createRequire(resolve(root, 'package.json'))
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs'),
).href;

/** A worker thread takes no --import from tsx; this first module of it does the same. */
const bootstrap = (program: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { register } from ${JSON.stringify(tsx)}; register(); await import(${JSON.stringify(program)});`)}`,
  );

/** What each rank answers. @param program a module of programs/. */
export async function runOnThreads<Answer>(program: URL, size: number, data: unknown): Promise<Answer[]> {
  const module = bootstrap(program.href);
  return (await startThreadRanks({ size, module, data, execArgv: ['--conditions=@vastmax/source'] })) as Answer[];
}
