// Two processes and one storage: whoever comes second is refused while the first lives, and only then.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeCheckpointPart } from '../src/checkpoint-parts.ts';
import { createFileStorage, createFolder } from '../src/file-storage.ts';
import { lockStorage } from '../src/lock-storage.ts';
import { createMemoryStorage } from '../src/memory-storage.ts';
import { createOpfsStorage } from '../src/opfs-storage.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';
import { failureOf, readEverything } from '../src/testing/index.ts';
import { bundleProgram } from '@vastmax/test-programs';
import { createFakeDirectory } from './fixtures/fake-directory.ts';
import { contentOfGeneration, everythingOfGeneration, wholeCheckpointFiles } from './fixtures/generations.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-lock-'));
let directory = folder;
let count = 0;
beforeEach(() => {
  directory = join(folder, String(count++));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const lockFiles = (): string[] => readdirSync(directory).filter((name) => name.startsWith('.vastmax-writer-'));

async function start(
  program: string,
  ...args: readonly string[]
): Promise<ChildProcessByStdio<Writable, Readable, null>> {
  const bundle = fileURLToPath(await bundleProgram(new URL(`fixtures/${program}.ts`, import.meta.url)));
  return spawn(process.execPath, [bundle, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** The first line that the process prints. */
async function lineOf(child: ChildProcessByStdio<Writable, Readable, null>): Promise<string> {
  for await (const line of createInterface(child.stdout)) return line;
  return 'nothing';
}

describe('a folder that a living process has locked', () => {
  it('is refused with its number and what to do, until it has ended; also when it is stopped', async () => {
    const child = await start('hold-lock', directory);
    expect(await lineOf(child)).toBe('locked');
    const ended = once(child, 'close');
    try {
      child.kill('SIGSTOP');
      const error = await failureOf(() => lockStorage(createFileStorage(directory)));
      expect(error.code).toBe('locked');
      expect(error.message).toMatch(
        new RegExp(
          `^${directory} is being written by process ${child.pid} on \\S+ since \\S+Z; wait until it ends, or give this run another folder$`,
        ),
      );
      expect((await failureOf(() => writeCheckpoint(createFileStorage(directory), contentOfGeneration(1)))).code).toBe(
        'locked',
      );
      expect(lockFiles()).toHaveLength(1);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
    expect(lockFiles()).toHaveLength(1);
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    expect(readdirSync(directory).sort().join(' ')).toMatch(wholeCheckpointFiles);
  });

  it('is free when the process lets go of it, and gone if nothing was written there', async () => {
    const child = await start('hold-lock', directory);
    expect(await lineOf(child)).toBe('locked');
    const ended = once(child, 'close');
    child.stdin.end();
    await ended;
    expect(existsSync(directory)).toBe(false);
  });

  it('refuses another process while this one has it, and lets this one write', async () => {
    await using lock = await lockStorage(createFileStorage(directory));
    const child = await start('hold-lock', directory);
    expect(await lineOf(child)).toMatch(new RegExp(`^locked: .* by process ${process.pid} on `));
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    {
      await using again = await lockStorage(createFileStorage(directory));
      expect(again).not.toBe(lock);
    }
    expect(lockFiles()).toHaveLength(1);
    // Somebody has cleared up: the next write takes the lock again.
    unlinkSync(join(directory, lockFiles()[0] ?? ''));
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
    expect(lockFiles()).toHaveLength(1);
    await lock[Symbol.asyncDispose]();
    await lock[Symbol.asyncDispose]();
    expect(readdirSync(directory).sort().join(' ')).toMatch(wholeCheckpointFiles);
  });
});

describe('the lock of', () => {
  /** Of this process, with changes. */
  const leaveLock = async (changes: object): Promise<string> => {
    const name = '.vastmax-writer-1-0123456789ab.json';
    const lock = await lockStorage(createFileStorage(directory));
    const owner = JSON.parse(readFileSync(join(directory, lockFiles()[0] ?? ''), 'utf8')) as object;
    writeFileSync(join(directory, name), JSON.stringify({ ...owner, ...changes }));
    await lock[Symbol.asyncDispose]();
    return name;
  };

  it.each([
    ['a process that does not exist', { pid: 2 ** 22 + 1 }],
    ['a process whose number another one has by now', { startTime: '1' }],
    ['this very thread, before a crash that it survived', {}],
  ])('%s is taken over', async (_, changes) => {
    await leaveLock(changes);
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    expect(readdirSync(directory).sort().join(' ')).toMatch(wholeCheckpointFiles);
  });

  it.skipIf(process.platform !== 'linux')('a machine before its last start is taken over', async () => {
    await leaveLock({ bootId: 'another' });
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1));
    expect(lockFiles()).toEqual([]);
  });

  it.each([
    ['a process of another machine', { host: 'elsewhere' }, 'cannot be checked from here'],
    ['another container', { pidNamespace: 'pid:[1]' }, 'cannot be checked from here'],
    ['another thread of this process', { thread: -1 }, `process ${process.pid} on`],
  ])('%s is respected', async (_, changes, message) => {
    const name = await leaveLock(changes);
    const error = await failureOf(() => lockStorage(createFileStorage(directory)));
    expect(error.code).toBe('locked');
    expect(error.message).toContain(message);
    if (message.startsWith('cannot'))
      expect(error.message).toContain(`if that process has ended, delete ${directory}/${name}`);
    expect(lockFiles()).toEqual([name]);
  });

  it('nobody knows, since its file is damaged, is respected', async () => {
    const name = await leaveLock({});
    writeFileSync(join(directory, name), '{"pid": 1');
    expect((await failureOf(() => lockStorage(createFileStorage(directory)))).message).toBe(
      `${directory} is locked by ${directory}/${name}, which is damaged; delete it if no other run writes there`,
    );
  });
});

it('a folder that another run removed, since it had written nothing there, is created again for the lock', async () => {
  const first = await lockStorage(createFileStorage(directory));
  const second = createFileStorage(directory);
  await second.prepare();
  await first[Symbol.asyncDispose]();
  expect(existsSync(directory)).toBe(false);
  const lock = await second.lock?.();
  expect(lockFiles()).toHaveLength(1);
  await lock?.release();
  expect(existsSync(directory)).toBe(false);
});

it('processes that write one folder at once never leave anything but a whole checkpoint', async () => {
  const each = 40;
  const children = await Promise.all(
    [0, 1000].map((first) => start('write-beside', directory, String(first), String(each))),
  );
  const outcomes = (await Promise.all(children.map(lineOf))).map(
    (line) => JSON.parse(line) as { readonly written: number; readonly failures: readonly string[] },
  );
  for (const { written, failures } of outcomes) {
    expect(failures.filter((failure) => failure !== 'locked')).toEqual([]);
    expect(written + failures.length).toBe(each);
  }
  expect(outcomes.reduce((sum, { written }) => sum + written, 0)).toBeGreaterThan(0);
  const { configuration } = (await readEverything(directory)) as { readonly configuration: { readonly step: number } };
  expect(await readEverything(directory)).toEqual(await everythingOfGeneration(configuration.step));
  expect(readdirSync(directory).sort().join(' ')).toMatch(wholeCheckpointFiles);
});

it('a part whose file is gone is not committed', async () => {
  const storage = createMemoryStorage();
  await writeCheckpoint(storage, contentOfGeneration(1));
  const { body, ...others } = contentOfGeneration(2).modules;
  const part = await writeCheckpointPart(storage, { body: body ?? { configuration: {}, tensors: [] } });
  await storage.remove(part.shards[0]?.file ?? '');
  const error = await failureOf(() =>
    writeCheckpoint(storage, { ...contentOfGeneration(2), modules: others }, { parts: [part] }),
  );
  expect(error.code).toBe('write-failed');
  expect(error.message).toContain('of a part is not there; lock the storage before its parts are written');
  expect(await readEverything(storage)).toEqual(await everythingOfGeneration(1));
});

it.skipIf(process.platform !== 'linux')('a folder that nobody can create is an error at once', async () => {
  const error = await failureOf(() => lockStorage(createFileStorage('/proc/vastmax/run')));
  expect(error).toMatchObject({ code: 'write-failed', cause: { code: 'ENOENT' } });
  expect(error.message).toContain('lockStorage: /proc/vastmax/run cannot be written: ENOENT');
});

it('folders are created with those above them, once', async () => {
  const path = join(directory, 'a', 'b');
  expect(await createFolder(path)).toBe(true);
  expect(await createFolder(path)).toBe(false);
  expect(await Promise.all(['c/d', 'c/e', 'c/f'].map((name) => createFolder(join(directory, name))))).toEqual([
    true,
    true,
    true,
  ]);
  mkdirSync(join(directory, 'g'));
  writeFileSync(join(directory, 'g', 'file'), '');
  await expect(createFolder(join(directory, 'g', 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(createFolder(join(directory, 'g', 'file', 'h'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

describe('a folder of a browser', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  /** Web Locks as a page and a worker share them. */
  const stubNavigator = (path: readonly string[] | null): Set<string> => {
    const held = new Set<string>();
    vi.stubGlobal('navigator', {
      locks: {
        request: async (
          name: string,
          { ifAvailable }: { readonly ifAvailable: boolean },
          callback: (lock: object | null) => Promise<void> | undefined,
        ) => {
          expect(ifAvailable).toBe(true);
          if (held.has(name)) return callback(null);
          held.add(name);
          await callback({ name });
          held.delete(name);
        },
      },
      storage: { getDirectory: () => Promise.resolve({ resolve: () => Promise.resolve(path) }) },
    });
    return held;
  };

  it('that another page has locked is refused', async () => {
    const held = stubNavigator(['runs', 'a']);
    const browser = createFakeDirectory();
    {
      await using mine = await lockStorage(createOpfsStorage(browser));
      expect(mine).toBeDefined();
      expect([...held]).toEqual(['@vastmax/checkpoints runs/a']);
      await writeCheckpoint(createOpfsStorage(browser), contentOfGeneration(1));
      // Another page has a handle of its own.
      const other = createOpfsStorage({ ...browser, files: browser.files } as typeof browser);
      const error = await failureOf(() => writeCheckpoint(other, contentOfGeneration(2)));
      expect(`${error.code}: ${error.message}`).toBe(
        'locked: opfs/run is being written by another page or worker; wait until it ends, or give this one another folder',
      );
    }
    await vi.waitFor(() => {
      expect(held.size).toBe(0);
    });
    await writeCheckpoint(createOpfsStorage(browser), contentOfGeneration(3));
    expect(await readEverything(createOpfsStorage(browser))).toEqual(await everythingOfGeneration(3));
  });

  it('outside of the private file system has no lock', async () => {
    const held = stubNavigator(null);
    const storage = createOpfsStorage(createFakeDirectory());
    const lock = await lockStorage(storage);
    await writeCheckpoint(storage, contentOfGeneration(1));
    expect(held.size).toBe(0);
    await lock[Symbol.asyncDispose]();
  });
});
