/** The log of a training run: JSON Lines and event files of TensorBoard, an entry for each progress report. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { createFolder } from '@vastmax/checkpoints/node';
import { isPipe } from '@vastmax/sparse-data/node';
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

  /** @throws UsageError for a file that cannot be opened or written. */
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
        opened.#outputs.push(
          await openOutput(
            '--tensorboard',
            file,
            (entry) => encodeScalars(Date.now() / 1000, entry.step, scalarsOf(entry)),
            encodeFileVersion(seconds),
          ),
        );
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
    for (const { option, path, file } of this.#outputs.splice(0))
      await file.close().catch((error: unknown) => {
        warn(`${option} ${path} may lack its end: ${error instanceof Error ? error.message : String(error)}`);
      });
  }
}

interface LogOutput {
  readonly option: string;
  readonly path: string;
  readonly file: FileHandle;
  encode(entry: LogEntry): string | Uint8Array;
}

/** Appends to a file that exists; creates its folder. @param header what is appended now. */
async function openOutput(
  option: string,
  path: string,
  encode: LogOutput['encode'],
  header?: Uint8Array,
): Promise<LogOutput> {
  let file: FileHandle | undefined;
  try {
    await createFolder(dirname(path));
    // Opening a pipe without a reader would wait for one, in a thread that nothing can interrupt.
    if (await isPipe(path)) await (await open(path, constants.O_WRONLY | constants.O_NONBLOCK)).close();
    file = await open(path, 'a');
    if (header !== undefined) await file.writeFile(header);
    return { option, path, encode, file };
  } catch (error) {
    await file?.close().catch(() => undefined);
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
