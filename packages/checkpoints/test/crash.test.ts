// A crash at every moment: each call of the file system that a writing makes is, in turn, the last one that the process
// gets to make, or one that fails (a full disk) while the process lives on; a write that is the last one writes half.
// Then real processes are killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type promises from 'node:fs/promises';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { failureOf, readEverything } from '@vastmax/checkpoints/testing';
import { bundleProgram } from '@vastmax/test-programs';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { isCheckpointError } from '../src/errors.ts';
import { createFileStorage } from '../src/file-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';
import {
  contentOfGeneration,
  everythingOfGeneration,
  shardedCheckpointFiles,
  wholeCheckpointFiles,
} from './fixtures/generations.ts';

const fault = vi.hoisted(() => {
  const state = {
    /** Calls until the fault; infinite without one. */
    left: Infinity,
    /** 'crash': every later call fails too. */
    mode: 'fail' as 'fail' | 'crash',
    calls: [] as string[],
    open: new Set<{ close(): Promise<void> }>(),
    check(name: string): void {
      state.calls.push(name);
      state.left--;
      if (state.left === 0 || (state.left < 0 && state.mode === 'crash')) {
        throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC', syscall: name });
      }
    },
  };
  return state;
});

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof promises>();
  type Handle = Awaited<ReturnType<typeof original.open>>;
  type Call = (...args: unknown[]) => Promise<unknown>;
  const guard =
    (name: string, call: Call): Call =>
    async (...args) => {
      fault.check(name);
      return call(...args);
    };
  const guardHandle = (handle: Handle): Handle => {
    fault.open.add(handle);
    return new Proxy(handle, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function' || typeof key !== 'string') return value;
        const call = (...args: unknown[]): Promise<unknown> => (value as Call).apply(target, args);
        if (key === 'close') {
          return guard('close', async () => {
            fault.open.delete(target);
            await target.close();
          });
        }
        if (key !== 'write') return guard(key, call);
        return async (block: Uint8Array, offset: number, length: number) => {
          if (fault.left === 1) await target.write(block, offset, length >> 1);
          fault.check('write');
          return call(block, offset, length);
        };
      },
    });
  };
  const guarded = Object.fromEntries(
    (['mkdir', 'readdir', 'realpath', 'rename', 'rm', 'stat'] as const).map((name) => [
      name,
      guard(name, original[name] as Call),
    ]),
  );
  return {
    ...original,
    ...guarded,
    open: async (...args: Parameters<typeof original.open>) => {
      fault.check('open');
      return guardHandle(await original.open(...args));
    },
  };
});

async function endFault(): Promise<void> {
  fault.left = Infinity;
  for (const handle of fault.open) await handle.close();
  fault.open.clear();
}

const folder = mkdtempSync(join(tmpdir(), 'vastmax-crash-'));
afterEach(endFault);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a checkpoint survives', () => {
  it.each([
    ['crash', 1],
    ['fail', 1],
    ['crash', 2],
  ] as const)('a %s at every call of the file system, with %d shards', async (mode, shards) => {
    const options = shards === 1 ? {} : { maximumShardBytes: 2 ** 10 };
    const files = shards === 1 ? wholeCheckpointFiles : shardedCheckpointFiles;
    const old = await everythingOfGeneration(1);
    const next = await everythingOfGeneration(2);
    let outcomes = '';
    let phase = '';
    for (let at = 1; phase !== 'done'; at++) {
      const directory = join(folder, `${mode}-${shards}-${at}`);
      await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1), options);
      Object.assign(fault, { left: at, mode, calls: [] });
      const error: unknown = await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2), options).then(
        () => undefined,
        (each: unknown) => each,
      );
      const stopped = fault.left <= 0;
      const stage = `${mode} at call ${at} (${fault.calls.slice(0, at).join(' ')})`;
      await endFault();

      const found = await readEverything(directory);
      const isNew = JSON.stringify(found) === JSON.stringify(next);
      expect(found, stage).toEqual(isNew ? next : old);
      phase = stopped ? (isNew ? 'new' : 'old') : 'done';
      outcomes += phase === 'done' ? '' : isNew ? 'n' : 'o';
      if (error === undefined) {
        expect(isNew, stage).toBe(true);
      } else {
        if (!isCheckpointError(error)) throw error;
        expect(['write-failed', 'read-failed'], stage).toContain(error.code);
        // A reader gives its own message; a writer says which of the two checkpoints is there.
        if (error.code === 'write-failed')
          expect(error.message, stage).toContain(
            isNew ? 'the new checkpoint is in place' : 'an earlier checkpoint there is untouched',
          );
        expect(error.cause, stage).toMatchObject({ code: 'ENOSPC' });
        // A living process takes away what it wrote, but after a failed rename of checkpoint.json, the third: that may
        // have happened.
        if (mode === 'fail' && !isNew && stage.split('rename').length <= 3) {
          expect(readdirSync(directory).filter((name) => name.endsWith('.safetensors')).length, stage).toBe(1);
        }
      }
      await writeCheckpoint(createFileStorage(directory), contentOfGeneration(3), options);
      expect(await readEverything(directory), stage).toEqual(await everythingOfGeneration(3));
      expect(readdirSync(directory).sort().join(' '), stage).toMatch(files);
    }
    // The change from old to new happens once. One failing call may also be got over: a text that cannot be verified is
    // written again.
    expect(outcomes).toMatch(mode === 'crash' ? /^o{30,}n{4,}$/ : /^o{20,}.*o{10,}n{4,}$/);
  });

  it('a crash during the first one, after which there is none', async () => {
    const directory = join(folder, 'first');
    Object.assign(fault, { left: 12, mode: 'crash' });
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(1)).catch(() => undefined);
    await endFault();
    expect((await failureOf(() => openCheckpoint(createFileStorage(directory)))).code).toBe('missing');
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(2));
    expect(readdirSync(directory).sort().join(' ')).toMatch(wholeCheckpointFiles);
  });

  it('a place that cannot be written, which the error names with its cause', async () => {
    // Paths under a regular file: permissions would not stop root, as whom some test machines run.
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const [place, code] of [
      [file, 'EEXIST'],
      [join(file, 'below'), 'ENOTDIR'],
    ] as const) {
      const error = await failureOf(() => writeCheckpoint(createFileStorage(place), contentOfGeneration(1)));
      expect(error).toMatchObject({ code: 'write-failed', cause: { code } });
      expect(error.message).toContain(`writeCheckpoint: ${place} was not written: ${code}`);
    }
    const directory = join(folder, 'blocked');
    mkdirSync(join(directory, 'checkpoint.json'), { recursive: true });
    expect((await failureOf(() => writeCheckpoint(createFileStorage(directory), contentOfGeneration(1)))).code).toBe(
      'read-failed',
    );
    expect(readdirSync(directory)).toEqual(['checkpoint.json']);
  });

  it('being killed ten times at random moments', async () => {
    const directory = join(folder, 'killed');
    const program = fileURLToPath(await bundleProgram(new URL('fixtures/write-forever.ts', import.meta.url)));
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(0));
    let generation = 0;
    for (let kill = 0; kill < 10; kill++) {
      const child = spawn(process.execPath, [program, directory, String(generation + 1)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const closed = once(child, 'close');
      let complaints = '';
      child.stderr.on('data', (text) => {
        complaints += String(text);
      });
      let confirmed = generation;
      for await (const line of createInterface(child.stdout)) {
        // Some right away, and some when one is done, however slow the disk is.
        if (line === (kill % 2 === 0 ? 'ready' : String(generation + 1)))
          setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
        if (line !== 'ready') confirmed = Number(line);
      }
      await closed;
      expect([child.signalCode, complaints]).toEqual(['SIGKILL', '']);

      await using checkpoint = await openCheckpoint(createFileStorage(directory));
      generation = (checkpoint.configuration as { step: number }).step;
      // One more than was confirmed when the kill came between the commit and its message.
      expect([confirmed, confirmed + 1]).toContain(generation);
      expect(await readEverything(directory)).toEqual(await everythingOfGeneration(generation));
    }
    expect(generation).toBeGreaterThan(0);
    await writeCheckpoint(createFileStorage(directory), contentOfGeneration(generation + 1));
    expect(readdirSync(directory).sort().join(' ')).toMatch(wholeCheckpointFiles);
  });
});
