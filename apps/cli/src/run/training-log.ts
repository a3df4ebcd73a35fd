/** The log of a training run: JSON Lines and event files of TensorBoard, an entry for each progress report. */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { UsageError } from '../terminal/errors.ts';
import { warn } from '../terminal/terminal.ts';
import { encodeFileVersion, encodeScalars } from './tensorboard-events.ts';

export interface LogEntry {
  readonly step: number;
  readonly examples: number;
  /** Mean loss since the previous entry. */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Training time of this run. */
  readonly seconds: number;
  readonly bodyRate: number;
  readonly outputRate: number;
  /** How often the factored layer has been rebased since its creation; null for other layers. */
  readonly rebases: number | null;
}

/**
 * The files that entries are appended to. When a file can no longer be written, a warning is printed and the file is
 * closed; training continues.
 */
export class TrainingLog implements AsyncDisposable {
  readonly #outputs: LogOutput[] = [];

  /** @throws UsageError for a file that cannot be opened. */
  static async open({
    log,
    tensorboard,
  }: {
    readonly log?: string;
    readonly tensorboard?: string;
  }): Promise<TrainingLog> {
    const opened = new TrainingLog();
    try {
      if (log !== undefined)
        opened.#outputs.push(await openOutput('--log', log, (entry) => `${JSON.stringify(entry)}\n`));
      if (tensorboard !== undefined) {
        const seconds = Date.now() / 1000;
        // TensorBoard reads every file of a folder whose name has `tfevents` in it, in order of their names: a resumed
        // run adds one.
        const file = join(tensorboard, `events.out.tfevents.${Math.floor(seconds)}.${hostname()}.${process.pid}`);
        const output = await openOutput('--tensorboard', file, (entry) =>
          encodeScalars(Date.now() / 1000, entry.step, scalarsOf(entry)),
        );
        opened.#outputs.push(output);
        await output.file.writeFile(encodeFileVersion(seconds));
      }
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
    return opened;
  }

  async write(entry: LogEntry): Promise<void> {
    for (const output of [...this.#outputs]) {
      try {
        await output.file.writeFile(output.encode(entry));
      } catch (error) {
        this.#outputs.splice(this.#outputs.indexOf(output), 1);
        warn(
          `${output.option} ${output.path} could not be written and ends at step ${entry.step}: ${error instanceof Error ? error.message : String(error)}`,
        );
        await output.file.close().catch(() => undefined);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#outputs.splice(0).map(({ file }) => file.close()));
  }
}

interface LogOutput {
  readonly option: string;
  readonly path: string;
  readonly file: FileHandle;
  encode(entry: LogEntry): string | Uint8Array;
}

/** Appends to a file that exists; creates its folder. */
async function openOutput(option: string, path: string, encode: LogOutput['encode']): Promise<LogOutput> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return { option, path, encode, file: await open(path, 'a') };
  } catch (error) {
    throw new UsageError(
      `${option} ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

function scalarsOf({ loss, examplesPerSecond, bodyRate, outputRate, rebases }: LogEntry): Record<string, number> {
  return {
    loss,
    examples_per_second: examplesPerSecond,
    'rate/body': bodyRate,
    'rate/output': outputRate,
    ...(rebases === null ? {} : { rebases: rebases }),
  };
}
