/** Texts from pipes, and a reader of standard output that ends before the command. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { main, pause, RunningCommand, vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const at = (file: string): string => join(folder, file);
const train = `${toyModel} --backend wasm`;

async function tokensOf(model: string): Promise<unknown> {
  await using checkpoint = await openCheckpoint(createFileStorage(at(model)));
  return checkpoint.configuration['tokens'];
}

function makePipe(name: string): void {
  execFileSync('mkfifo', [at(name)], { stdio: 'ignore' });
}

/** Runs a line of bash in which `vastmax` is the command. */
function bash(
  line: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-c', `vastmax() { "${process.execPath}" "${main}" "$@"; }; ${line}`],
      { cwd: folder, env: { ...process.env, ...environment } },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
          output: stdout + stderr,
        });
      },
    );
  });
}

beforeAll(async () => {
  expect(await vastmax(folder, `train train.txt -o plain ${train}`)).toMatchObject({ code: 0 });
});

describe.skipIf(process.platform === 'win32')('a text', () => {
  it('from a pipe of the shell, /dev/stdin or a named pipe is read as from a file', async () => {
    makePipe('pipe');
    const lines = [
      `vastmax train <(cat train.txt) -o substituted ${train}`,
      `cat train.txt | vastmax train /dev/stdin -o piped ${train}`,
      `(cat train.txt > pipe &) ; vastmax train pipe -o named ${train}`,
      `vastmax train train.txt -o valid --valid <(cat valid.txt) ${train}`,
    ];
    for (const line of lines) expect(await bash(line)).toMatchObject({ code: 0 });
    for (const model of ['substituted', 'piped', 'named', 'valid'])
      expect(await tokensOf(model)).toBe(await tokensOf('plain'));
    expect((await bash('vastmax evaluate plain <(cat valid.txt)')).output).toContain('unigram');
    const both = await bash(`cat valid.txt | vastmax train train.txt -o both --valid /dev/stdin ${train}`);
    expect(both.code).toBe(0);
    expect(both.output).toContain('held-out text');
  });

  it('from a pipe that nobody writes to ends with the first signal', async () => {
    makePipe('silent');
    for (const args of ['train silent -o silent-model', 'vocab silent', 'train - -o silent-model', 'tokenize -']) {
      const command = new RunningCommand(args.split(' '), folder, { open: true });
      // The handler is there when the folder is; the commands without one may be killed before.
      if (args.startsWith('train')) while (!existsSync(at('silent-model'))) await pause(5);
      command.interrupt('SIGTERM');
      expect([130, null]).toContain((await command.ended).code);
      expect(existsSync(at('silent-model'))).toBe(false);
    }
  });

  it('that is copied says where there was no room', async () => {
    const { code, output } = await bash(`cat train.txt | vastmax train - -o nowhere ${train}`, {
      TMPDIR: at('train.txt'),
    });
    expect(code).toBe(1);
    expect(output).toMatch(
      /^vastmax: standard input is read twice, and its copy in \S+train\.txt could not be written: ENOTDIR: .*; set TMPDIR to a folder with more room, or give a file\n$/,
    );
  });

  it('is refused over ranks, which would share it', async () => {
    const { code, output } = await bash(`vastmax train <(cat train.txt) -o ranks --distributed mpi ${train}`);
    expect(code).toBe(2);
    expect(output).toContain('standard input and pipes can be read by one; give a file');
  });

  it.each([
    ['tokenizer.json', (file: string) => `vocab train.txt --tokenizer ${file}`, 'is a pipe; a file is needed'],
    ['texts.parquet', (file: string) => `vocab ${file}`, 'is not a regular file'],
  ])('file that has to be read twice is refused as a pipe: %s', async (file, call, message) => {
    makePipe(file);
    const { code, stderr } = await vastmax(folder, call(file));
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    rmSync(at(file));
  });
});

describe.skipIf(process.platform === 'win32')('a command whose reader has ended', () => {
  it.each(['tokenize -', 'vocab -', 'evaluate plain - --backend wasm', 'predict plain --input - --backend wasm'])(
    'ends quietly while it waits for input: %s',
    async (args) => {
      const command = new RunningCommand(args.split(' '), folder, { open: true });
      command.closeOutput();
      expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
    },
  );

  it('ends quietly while input goes on', async () => {
    const { code, output } = await bash('yes "a b c" | vastmax tokenize - | head -n 1; exit ${PIPESTATUS[1]}');
    expect({ code, output }).toEqual({ code: 0, output: 'a b c\n' });
  });

  it('prints what it has read before it waits for more', async () => {
    const command = new RunningCommand(['tokenize', '-'], folder, { open: true });
    command.send('a b\nc');
    await command.waitFor('a b\n');
    command.closeOutput();
    expect((await command.ended).code).toBe(0);
  });

  it('goes on if it writes a file', async () => {
    const run = new RunningCommand(`train train.txt -o unread ${train}`.split(' '), folder);
    run.closeOutput();
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await tokensOf('unread')).toBe(await tokensOf('plain'));
    const vocabulary = new RunningCommand('vocab train.txt -o words.tsv'.split(' '), folder);
    vocabulary.closeOutput();
    expect(await vocabulary.ended).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(at('words.tsv'), 'utf8')).toContain('cat\t');
  });
});

describe.skipIf(!existsSync('/dev/full'))('a full disk', () => {
  it('under a log is a warning that names it', async () => {
    const logged = await vastmax(folder, `train train.txt -o logged ${train} --log /dev/full`);
    expect(logged.code).toBe(0);
    expect(logged.stderr).toMatch(
      /^vastmax: warning: --log \/dev\/full could not be written and ends at step \d+: ENOSPC: .*\n$/,
    );
  });

  it('under standard output is told, with the exit code of a failure', async () => {
    const { code, output } = await bash('vastmax vocab train.txt > /dev/full');
    expect(code).toBe(1);
    expect(output).toMatch(/^vastmax: standard output could not be written: ENOSPC: .*\n$/);
  });
});
