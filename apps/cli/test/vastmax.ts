/**
 * The real command as a child process, from the sources: bundled once a test file, since it starts ten times as fast.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '@vastmax/test-programs';

/** The command as one JavaScript file, for `node`. */
export const main: string = fileURLToPath(await bundleProgram(new URL('../src/main.ts', import.meta.url)));

export interface Ended {
  /** The exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  /** Without the plain progress lines: how many there are depends on the machine's speed. */
  readonly stderr: string;
  /** Those lines. */
  readonly progress: string;
}

const progressLine =
  /^(counting words|reading text|reading interactions|trying rates|training|evaluating|predicting|recommending|quantizing|exporting|fitting): \d+ %.*\n/gm;

export class RunningCommand {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  #stdout = '';
  #stderr = '';

  /** @param input what it finds on its standard input; `open` for one that sends nothing and does not end. */
  constructor(args: readonly string[], folder: string, input: string | Uint8Array | { readonly open: true } = '') {
    this.#child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      env: { ...process.env, COLUMNS: '80', NO_COLOR: '1' },
    });
    // A command that does not read it may end first.
    this.#child.stdin.on('error', () => undefined);
    if (typeof input === 'string' || input instanceof Uint8Array) this.#child.stdin.end(input);
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = new Promise((resolveEnd, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code) => {
        resolveEnd({
          code,
          stdout: this.#stdout,
          stderr: this.#stderr.replace(progressLine, ''),
          progress: (this.#stderr.match(progressLine) ?? []).join(''),
        });
      });
    });
  }

  /** Until the output so far has it; at once when the process ends without. */
  async waitFor(text: string): Promise<void> {
    const isThere = (): boolean => this.#stdout.includes(text) || this.#stderr.includes(text);
    while (!isThere() && this.#child.exitCode === null) await pause(5);
  }

  interrupt(signal: NodeJS.Signals = 'SIGINT'): void {
    this.#child.kill(signal);
  }

  /** More of an open standard input. */
  send(text: string): void {
    this.#child.stdin.write(text);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Read no more of the standard output, as `head` does once it has enough. */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolvePause) => {
    setTimeout(resolvePause, milliseconds);
  });
}

/** Runs to the end. Arguments are split at spaces, so paths must be free of them; or they are given one by one. */
export function vastmax(folder: string, args: string | readonly string[], input?: string | Uint8Array): Promise<Ended> {
  return new RunningCommand(
    typeof args === 'string' ? args.split(' ').filter((arg) => arg !== '') : args,
    folder,
    input,
  ).ended;
}
