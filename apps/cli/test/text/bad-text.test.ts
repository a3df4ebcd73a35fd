import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createScratchFolder } from '../scratch-folder.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
writeFileSync(join(folder, 'empty.txt'), '');
mkdirSync(join(folder, 'directory'));
writeFileSync(
  join(folder, 'latin1.txt'),
  Buffer.concat([Buffer.from('first line\nsecond caf'), Buffer.of(0xe9), Buffer.from(' line\n')]),
);
writeFileSync(join(folder, 'one-word.txt'), 'echo echo echo\necho\n');
writeFileSync(join(folder, 'damaged.txt.gz'), 'this is not gzip');

it.concurrent.each([
  ['missing.txt', 'there is no file missing.txt'],
  ['empty.txt', 'empty.txt is empty (0 bytes of text)'],
  ['directory', 'directory is a directory; a text file is needed'],
  ['latin1.txt', 'latin1.txt: line 2: byte 0xE9 at offset 21 is not valid UTF-8'],
  [
    'one-word.txt',
    "one-word.txt: only the word 'echo' is left for the vocabulary of its 6 tokens with --min-count 1; at least 2 are needed",
  ],
  ['train.txt --min-count 100000', 'train.txt: no word is left for the vocabulary'],
  ['damaged.txt.gz', 'damaged.txt.gz does not decompress'],
  ['train.txt --valid missing.txt', 'there is no file missing.txt'],
])('train %s fails in one line, before anything is written', async (args, message) => {
  // Each in a folder of its own: a run has it until it ends.
  const model = `model-of-${args.replaceAll(/\W+/g, '-')}`;
  const { code, stdout, stderr } = await vastmax(folder, `train ${args} -o ${model}`);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/^vastmax: .*\n$/);
  expect(existsSync(join(folder, model))).toBe(false);
});
