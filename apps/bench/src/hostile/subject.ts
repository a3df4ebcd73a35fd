/**
 * The process that opens damaged files. It reports on file descriptor 3, a JSON object a line. A thread of it looks at
 * the clock and the resident memory, since the main thread may be in a loop, and ends the process when it has to.
 */
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { damage, type DamagedCheckpoint, type DamagedFile, type HostileKind } from './damage.ts';
import { openDamaged } from './open-damaged.ts';
import { createSeedCheckpoints } from './seed-checkpoints.ts';
import { isTyped } from './typed-errors.ts';

export interface SubjectTask {
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly kinds: readonly HostileKind[];
}

export type SubjectReport =
  /** Where it is, now and then; all before it have ended. */
  | {
      readonly type: 'at';
      readonly number: number;
      readonly opened: number;
      readonly refused: number;
      readonly largest: number;
    }
  | {
      readonly type: 'untyped' | 'hung' | 'overrun';
      readonly number: number;
      readonly kind: string;
      readonly detail: string;
    };

declare const gc: (() => void) | undefined;

const freeBytes = 64 * 2 ** 20;
const bytesPerByte = 4;
const hangMilliseconds = 60_000;
/** Garbage beyond this is collected before the next one, so that it is not taken for that one's. */
const garbageBytes = 16 * 2 ** 20;

const report = (line: SubjectReport): void => {
  writeSync(3, `${JSON.stringify(line)}\n`);
};

/** Shared with the thread: number, limit, when it began, largest above idle, idle. */
const shared = new Float64Array(new SharedArrayBuffer(5 * 8));
const [NUMBER, LIMIT, BEGAN, LARGEST, IDLE] = [0, 1, 2, 3, 4] as const;

const watch = `
const { shared, hang } = require('node:worker_threads').workerData;
const { writeSync } = require('node:fs');
let told = -1;
setInterval(() => {
  const [number, limit, began, largest, idle] = shared;
  if (began === 0) return;
  const above = process.memoryUsage.rss() - idle;
  if (above > largest) shared[3] = above;
  const say = (type, detail) => writeSync(3, JSON.stringify({ type, number, kind: '', detail }) + '\\n');
  if (above > limit && told !== number) { told = number; say('overrun', above + ' bytes above idle, the limit is ' + limit); }
  const isHung = Date.now() - began > hang;
  if (isHung) say('hung', 'no end in ' + hang + ' ms');
  if (isHung || above > 2 ** 31) process.kill(process.pid, 'SIGKILL');
}, 4);`;

const { seed, first, end, kinds } = JSON.parse(process.argv[2] ?? '{}') as SubjectTask;
const folder = mkdtempSync(join(tmpdir(), 'vastmax-hostile-'));
const checkpoints = await createSeedCheckpoints();
// What is loaded and compiled for the first of each kind belongs to the idle process.
for (let number = 0; number < 200; number++)
  await openDamaged(damage(seed + 1, number, checkpoints, kinds), join(folder, 'file')).catch(() => undefined);
const thread = new Worker(watch, { eval: true, workerData: { shared, hang: hangMilliseconds } });
let opened = 0;
let refused = 0;
let told = performance.now();
for (let number = first; number < end; number++) {
  const damaged = damage(seed, number, checkpoints, kinds);
  if (process.memoryUsage.rss() > (shared[IDLE] ?? 0) + garbageBytes) gc?.();
  shared[IDLE] = process.memoryUsage.rss();
  shared[NUMBER] = number;
  shared[LIMIT] = freeBytes + bytesPerByte * sizeOf(damaged);
  shared[BEGAN] = Date.now();
  try {
    await openDamaged(damaged, join(folder, 'file'));
    opened++;
  } catch (error) {
    refused++;
    if (!isTyped(error))
      report({
        type: 'untyped',
        number,
        kind: damaged.kind === 'checkpoint' ? damaged.name : damaged.kind,
        detail: error instanceof Error ? (error.stack ?? error.message).slice(0, 1500) : String(error),
      });
  }
  shared[LARGEST] = Math.max(shared[LARGEST] ?? 0, process.memoryUsage.rss() - (shared[IDLE] ?? 0));
  shared[BEGAN] = 0;
  if (performance.now() - told > 500 || number === end - 1) {
    report({ type: 'at', number: number + 1, opened, refused, largest: shared[LARGEST] ?? 0 });
    told = performance.now();
  }
}
await thread.terminate();
rmSync(folder, { recursive: true });

function sizeOf(damaged: DamagedFile | DamagedCheckpoint): number {
  if (damaged.kind !== 'checkpoint') return damaged.bytes.length;
  return [...damaged.files.values()].reduce((sum, { length }) => sum + length, 0);
}
