/**
 * Standard output and its reader. When the reader has ended (`| head`), a command whose results are what it prints ends
 * too, at once and quietly; one that writes files goes on, since it may be training.
 *
 * Writing tells that the reader has ended (EPIPE). A command that waits for its input writes nothing, so poll(2) is
 * asked twice a second; Node has no call for that, koffi has, and where koffi has no build the next write tells it.
 */
import { once } from 'node:events';
import { fstatSync, statSync } from 'node:fs';

const pollMs = 500;
const fileDescriptor = 1;
/** POLLERR, POLLHUP and POLLNVAL, on Linux and macOS. */
const closedEvents = 0x38;

let ignoresBrokenPipe = false;
let isClosed = false;

/** Call it once, before anything is printed. */
export function watchStandardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // EIO: the terminal was closed.
    if (error.code === 'EPIPE' || error.code === 'EIO') {
      handleClosed();
      return;
    }
    // A full disk behind `>`: reported, and a command that trains goes on.
    process.stderr.write(`vastmax: standard output could not be written: ${error.message}\n`);
    process.exitCode = 1;
  });
  // An error on stderr cannot be reported anywhere.
  process.stderr.on('error', () => undefined);
  if (process.platform === 'win32') return;
  const stats = fstatSync(fileDescriptor);
  // Node 20 takes the type of the file that was looked at last for that of the next module's folder, and resolves no
  // links behind a pipe: koffi would not be found.
  statSync('/');
  if (!stats.isFIFO() && !stats.isSocket()) return;
  setTimeout(() => {
    pollReader().catch(() => undefined);
  }, pollMs).unref();
}

/** For a command whose result is a file: it does not end when nobody reads its standard output any more. */
export function ignoreBrokenPipe(): void {
  ignoresBrokenPipe = true;
}

/**
 * Writes many lines to standard output, with back-pressure.
 * @returns whether the reader still reads.
 */
export async function writeResults(text: string): Promise<boolean> {
  const { stdout } = process;
  if (isClosed) return false;
  // The handler above reports the error.
  if (!stdout.write(text)) await once(stdout, 'drain').catch(() => undefined);
  return !isClosed;
}

function handleClosed(): void {
  isClosed = true;
  if (!ignoresBrokenPipe) process.exit();
}

async function pollReader(): Promise<void> {
  const { default: koffi } = await import('koffi');
  koffi.struct('pollfd', { fd: 'int', events: 'short', revents: 'short' });
  const poll = koffi.load(null).func('int poll(_Inout_ pollfd *fds, unsigned long count, int timeout)') as (
    fds: { fd: number; events: number; revents: number }[],
    count: number,
    timeout: number,
  ) => number;
  const timer = setInterval(() => {
    const states = [{ fd: fileDescriptor, events: 0, revents: 0 }];
    poll(states, states.length, 0);
    if (((states[0]?.revents ?? 0) & closedEvents) === 0) return;
    clearInterval(timer);
    handleClosed();
  }, pollMs);
  timer.unref();
}
