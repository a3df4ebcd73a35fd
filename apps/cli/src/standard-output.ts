/** Results as a stream: many lines to standard output, no faster than they are read. */
import { once } from 'node:events';

/** @returns whether anybody reads on; a reader such as `head` leaves once it has enough. */
export async function writeResults(text: string): Promise<boolean> {
  const { stdout } = process;
  if (stdout.errored !== null || !stdout.writable) return false;
  // An error is dealt with where the command begins.
  if (!stdout.write(text)) await once(stdout, 'drain').catch(() => undefined);
  return stdout.errored === null;
}
