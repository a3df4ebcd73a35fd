/** Programs of the repository in a process of their own, and the JSON that they print. */
import { spawn } from 'node:child_process';

/** What the program printed, or why there is nothing. Its progress goes to stderr as it comes. */
export async function jsonOf<Result>(
  file: string,
  args: readonly string[],
): Promise<Result | { readonly failure: string }> {
  // With what runs this process: the sources as they are, and their packages by the same conditions.
  const child = spawn(process.execPath, [...process.execArgv, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ending = await new Promise<string>((done) => {
    child.on('error', ({ message }) => {
      done(message);
    });
    child.on('close', (code, signal) => {
      done(signal === null ? `exit code ${code}` : `ended by ${signal}`);
    });
  });
  if (ending !== 'exit code 0') return { failure: ending };
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Result;
  } catch (error) {
    return { failure: `printed no JSON: ${(error as Error).message}` };
  }
}
