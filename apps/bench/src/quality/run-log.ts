/**
 * The file that `bench quality --log` appends each finished run to, one JSON object a line, so that an interrupted
 * bench loses nothing but the run under way. The outcome of every held-out word is in it, compressed: paired
 * comparisons need them, and so does a table made later.
 */
import { appendFile, readFile, truncate } from 'node:fs/promises';
import { deflateSync, inflateSync } from 'node:zlib';
import { BenchError } from '../measurement/bench-error.ts';
import type { Machine } from '../reporting/machine.ts';
import type { Outcomes } from './outcomes.ts';
import type { RunResult, RunSettings } from './run.ts';

export interface LoggedRun {
  readonly settings: RunSettings;
  readonly machine: Machine;
  readonly result: RunResult;
}

interface Line {
  readonly specification: 1;
  readonly settings: RunSettings;
  readonly machine: Machine;
  readonly result: Omit<RunResult, 'outcomes'> & { readonly outcomes: PackedOutcomes | null };
}

interface PackedOutcomes {
  readonly ranks: string;
  /** In thousandths, up to 65.535. */
  readonly losses: string | null;
  readonly bands: string;
}

const lossUnits = 1000;
const largestUnit = 65_535;

/** Empty when there is no such file. @throws BenchError `failed` with the line that is not of a log. */
export async function readLog(path: string): Promise<LoggedRun[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  // What follows the last line break was being written when the bench was interrupted.
  return lines.slice(0, -1).map((line, index) => {
    try {
      return runOf(JSON.parse(line) as Line);
    } catch (error) {
      throw new BenchError(
        'failed',
        `${path}:${index + 1} is no line of bench quality --log (${(error as Error).message}); delete the line`,
      );
    }
  });
}

/** Takes a line away that was not finished, which must be done before the next is appended. */
export async function repairLog(path: string): Promise<void> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const end = bytes.lastIndexOf('\n') + 1;
  if (end < bytes.length) await truncate(path, end);
}

export async function appendToLog(path: string, { settings, machine, result }: LoggedRun): Promise<void> {
  const { outcomes, ...rest } = result;
  const line: Line = {
    specification: 1,
    settings,
    machine,
    result: { ...rest, outcomes: outcomes === null ? null : packed(outcomes) },
  };
  await appendFile(path, `${JSON.stringify(line)}\n`);
}

export function hasEqualSettings(a: RunSettings, b: RunSettings): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function runOf({ specification, settings, machine, result }: Line): LoggedRun {
  if (specification !== 1) throw new RangeError(`its specification is ${String(specification)}, expected 1`);
  const { outcomes } = result;
  return { settings, machine, result: { ...result, outcomes: outcomes === null ? null : unpacked(outcomes) } };
}

function packed({ ranks, losses, bands }: Outcomes): PackedOutcomes {
  const units =
    losses === null
      ? null
      : Uint16Array.from(losses, (loss) => Math.min(largestUnit, Math.max(0, Math.round(lossUnits * loss))));
  return { ranks: pack(ranks), losses: units === null ? null : pack(units), bands: pack(bands) };
}

function unpacked({ ranks, losses, bands }: PackedOutcomes): Outcomes {
  return {
    ranks: new Int32Array(unpack(ranks)),
    losses: losses === null ? null : Float64Array.from(new Uint16Array(unpack(losses)), (units) => units / lossUnits),
    bands: new Uint8Array(unpack(bands)),
  };
}

function pack({ buffer, byteOffset, byteLength }: Int32Array | Uint16Array | Uint8Array): string {
  return deflateSync(new Uint8Array(buffer, byteOffset, byteLength)).toString('base64');
}

function unpack(text: string): ArrayBuffer {
  return new Uint8Array(inflateSync(Buffer.from(text, 'base64'))).buffer;
}
