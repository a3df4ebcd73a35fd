import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleProgram, isRunning, requireLauncher } from '@vastmax/test-programs';
import { expect, it } from 'vitest';
import { launchers } from '../run-program.ts';

const cases = launchers.flatMap((launcher) =>
  [2, 3].flatMap((size) => [false, true].map((isWrapped) => ({ launcher, size, isWrapped, name: launcher.name }))),
);

it.for(cases)(
  'after $name was killed none of its $size ranks lives on (within a shell: $isWrapped)',
  async ({ launcher, size, isWrapped }, { skip }) => {
    requireLauncher(launcher, (reason) => skip(reason));
    const folder = mkdtempSync(join(tmpdir(), 'vastmax-orphans-'));
    const program = fileURLToPath(await bundleProgram(new URL('../programs/orphans.ts', import.meta.url)));
    const [command, ...options] = launcher.start(size);
    // The shell has something to do after the rank, so that it does not become the rank itself.
    const rank = isWrapped
      ? ['sh', '-c', `'${process.execPath}' '${program}' '${folder}'; echo done`]
      : [process.execPath, program, folder];
    const child = spawn(command, [...options, ...rank], { stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '' } });
    try {
      const ended = once(child, 'exit');
      const files = Array.from({ length: size }, (_, each) => join(folder, `rank-${each}`));
      while (!files.every((file) => existsSync(file))) {
        expect(child.exitCode).toBeNull();
        await pause(20);
      }
      const ranks = files.map((file) => Number(readFileSync(file, 'utf8')));
      expect(ranks.filter((pid) => isRunning(pid))).toEqual(ranks);
      child.kill('SIGKILL');
      await ended;
      while (ranks.some((pid) => isRunning(pid))) await pause(20);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
