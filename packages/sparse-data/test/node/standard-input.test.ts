import { spawn } from 'node:child_process';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('fixtures/count-standard-input.ts', import.meta.url));

it('a process reads twice as much JSON from a pipe as its heap may hold', async () => {
  const record = Buffer.from(`{"text": "${'x'.repeat(1000)}"}\n`);
  const block = Buffer.concat(Array.from({ length: 64 }, () => record));
  const blocks = Math.ceil(2 ** 26 / block.length);
  const child = spawn(process.execPath, ['--max-old-space-size=32', '--import', 'tsx', program], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise((done) => child.on('close', done));
  const [, stdout, stderr] = await Promise.all([
    pipeline(
      Readable.from(
        (function* () {
          for (let at = 0; at < blocks; at++) yield block;
        })(),
      ),
      child.stdin,
    ),
    text(child.stdout),
    text(child.stderr),
  ]);
  expect({ code: await ended, stdout, stderr }).toEqual({ code: 0, stdout: String(blocks * 64), stderr: '' });
});
