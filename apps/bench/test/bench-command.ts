/** The bench command as a child process, from the sources: bundled once a test file, since tsx takes seconds for it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '@vastmax/test-programs';

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** @param interruptAt the text on stderr at which the process gets SIGINT. */
export async function bench(args: readonly string[], interruptAt?: string): Promise<Ended> {
  const main = fileURLToPath(await bundleProgram(new URL('../src/main.ts', import.meta.url)));
  return new Promise((done) => {
    const child = spawn(process.execPath, [main, ...args], { cwd: root });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (interruptAt !== undefined && stderr.includes(interruptAt)) child.kill('SIGINT');
    });
    child.on('close', (code, signal) => {
      done({ stdout, stderr, code, signal });
    });
  });
}
