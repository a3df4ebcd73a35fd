// The lock of a folder: a file for each process that writes there or wants to, `.vastmax-writer-PID-RANDOM.json`, which
// says who that is. Whoever wants the lock puts its file there and then looks for others: it has the lock if there is
// none of a living process, and takes its file away if there is one. Of two that come at once both may see each other,
// and try again after a random time; both can never pass, since the one that looked last saw the other's file. A name
// is never used twice, so the file of a dead process can be removed by anybody at any time.
//
// Alive is: the process with this number and this start time exists on this machine. How old a file is says nothing: a
// process that computes or was stopped touches no file for a long time.

import { randomBytes, randomInt } from 'node:crypto';
import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { CheckpointError } from './errors.ts';
import type { Append, StagedFile, WriterLock } from './storage.ts';

/** The file of a process that writes, or wants to. */
const LOCK = /^\.vastmax-writer-\d+-[0-9a-f]{12}\.json$/;
const ATTEMPTS = 8;
const LONGEST_PAUSE_MS = 100;

interface Owner {
  readonly pid: number;
  readonly thread: number;
  readonly host: string;
  /** When the lock was taken. */
  readonly since: string;
  /** Of the process, in ticks since the machine started. This and the next two are known on Linux only. */
  readonly startTime?: string | undefined;
  /** Changes when the machine starts. */
  readonly bootId?: string | undefined;
  /** Process numbers mean the same in the same one; a container has its own. */
  readonly pidNamespace?: string | undefined;
}

/** Paths of the locks that this thread has, for all copies of this package in it. */
const ownLocks: Set<string> = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('@vastmax/checkpoints folder locks')
] ??= new Set<string>()) as Set<string>;

/**
 * @param root the folder; `location` is what messages call it.
 * @param stage writes a file whole
 * @throws CheckpointError `locked`; errors of the file system
 */
export async function lockFolder(
  root: string,
  location: string,
  stage: (name: string, fill: (append: Append) => Promise<void>) => Promise<StagedFile>,
): Promise<WriterLock> {
  let own = await acquire(root, location, stage);
  return {
    confirm: async () => {
      if (await exists(own)) return;
      ownLocks.delete(own);
      own = await acquire(root, location, stage);
    },
    release: async () => {
      await rm(own, { force: true }).catch(() => undefined);
      ownLocks.delete(own);
    },
  };
}

/** @returns the path of the lock's file. */
async function acquire(root: string, location: string, stage: Parameters<typeof lockFolder>[2]): Promise<string> {
  const self = await describeSelf();
  const text = new TextEncoder().encode(`${JSON.stringify(self)}\n`);
  for (let attempt = 1; ; attempt++) {
    const path = join(root, `.vastmax-writer-${process.pid}-${randomBytes(6).toString('hex')}.json`);
    ownLocks.add(path);
    let other: Other | undefined;
    let isTaken = false;
    try {
      const file = await stage(path.slice(root.length + 1), (append) => append(text));
      await file.commit();
      other = await findOther(root, path, self);
      if (other === undefined) {
        isTaken = true;
        return path;
      }
    } finally {
      if (!isTaken) {
        await rm(path, { force: true }).catch(() => undefined);
        ownLocks.delete(path);
      }
    }
    if (attempt === ATTEMPTS) throw new CheckpointError('locked', describeOther(location, other, self));
    await sleep(randomInt(LONGEST_PAUSE_MS));
  }
}

interface Other {
  /** Of its file. */
  readonly name: string;
  /** Undefined where its file is damaged. */
  readonly owner: Owner | undefined;
}

/** A living process that writes there or wants to; the files of dead ones are removed. */
async function findOther(root: string, own: string, self: Owner): Promise<Other | undefined> {
  for (const name of (await readdir(root)).filter((each) => LOCK.test(each))) {
    const path = join(root, name);
    if (path === own) continue;
    const text = await readFile(path, 'utf8').catch(() => undefined);
    // It was released meanwhile.
    if (text === undefined) continue;
    const owner = parseOwner(text);
    if (owner === undefined || (await mayLive(owner, path, self))) return { name, owner };
    await rm(path, { force: true }).catch(() => undefined);
  }
  return undefined;
}

function describeOther(location: string, { name, owner }: Other, self: Owner): string {
  const file = `${location}/${name}`;
  if (owner === undefined)
    return `${location} is locked by ${file}, which is damaged; delete it if no other run writes there`;
  const remedy = 'wait until it ends, or give this run another folder';
  const who = `${location} is being written by process ${owner.pid} on ${owner.host} since ${owner.since}`;
  return isSameMachine(owner, self)
    ? `${who}; ${remedy}`
    : `${who}, which cannot be checked from here; ${remedy}; if that process has ended, delete ${file}`;
}

async function describeSelf(): Promise<Owner> {
  const [startTime, bootId, pidNamespace] = await Promise.all([
    startTimeOf('self'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    ),
    readlink('/proc/self/ns/pid').catch(() => undefined),
  ]);
  return {
    pid: process.pid,
    thread: threadId,
    host: hostname(),
    since: new Date().toISOString(),
    startTime,
    bootId,
    pidNamespace,
  };
}

function parseOwner(text: string): Owner | undefined {
  let owner: unknown;
  try {
    owner = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof owner !== 'object' || owner === null) return undefined;
  const { pid, thread, host, since } = owner as Partial<Owner>;
  return Number.isSafeInteger(pid) &&
    Number.isSafeInteger(thread) &&
    typeof host === 'string' &&
    typeof since === 'string'
    ? (owner as Owner)
    : undefined;
}

/** Whether the numbers of processes mean the same to both. */
function isSameMachine(owner: Owner, self: Owner): boolean {
  return owner.host === self.host && owner.bootId === self.bootId && owner.pidNamespace === self.pidNamespace;
}

/** False only where it is certain that the process has ended. */
async function mayLive(owner: Owner, path: string, self: Owner): Promise<boolean> {
  if (owner.host !== self.host) return true;
  // The machine has been started anew.
  if (owner.bootId !== self.bootId) return false;
  if (owner.pidNamespace !== self.pidNamespace) return true;
  if (owner.pid === self.pid && owner.startTime === self.startTime)
    return owner.thread !== self.thread || ownLocks.has(path);
  if (!isProcess(owner.pid)) return false;
  const startTime = await startTimeOf(owner.pid);
  return startTime === undefined || startTime === owner.startTime;
}

/** Whether there is a process of this number. */
export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** proc(5): field 3 is the state, field 22 the start. `ended` for a process that waits only for its parent. */
async function startTimeOf(pid: number | 'self'): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The name, in parentheses, may have spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
