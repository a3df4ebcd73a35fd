import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { openLabelled, readLabelledTexts, readLineBlocks } from '@vastmax/sparse-data/node';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-labelled-texts-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const lines = Array.from({ length: 400 }, (_, i) => `__label__${i % 7} w${i} é w${i % 13}`);
const text = `${lines.join('\n')}\n`;

async function blocksOf(path: string, chunkBytes: number): Promise<string[]> {
  const blocks: string[] = [];
  for await (const block of readLineBlocks(path, { chunkBytes })) blocks.push(new TextDecoder().decode(block));
  return blocks;
}

describe('readLineBlocks', () => {
  it.each([1, 7, 64, 2 ** 20])('gives whole lines whatever the reads of %d bytes', async (chunkBytes) => {
    const blocks = await blocksOf(file('a.txt', text), chunkBytes);
    expect(blocks.join('')).toBe(text);
    expect(blocks.every((block) => block.endsWith('\n'))).toBe(true);
    expect(await blocksOf(file('b.txt', 'a\nb'), chunkBytes).then((all) => all.join('|').replace('\n|', '\n'))).toBe(
      'a\nb',
    );
  });

  it('removes a byte order mark at the start, and decompresses', async () => {
    expect(await blocksOf(file('c.txt', '\ufeffa\n\ufeffb\n'), 2 ** 20)).toEqual(['a\n\ufeffb\n']);
    expect((await blocksOf(file('d.txt', gzipSync(text)), 2 ** 20)).join('')).toBe(text);
  });

  it.each([
    ['e.txt', Uint8Array.of(0x61, 0x0a, 0x62, 0xff, 0x0a), 'e.txt: line 2: byte 0xFF at offset 3 is not valid UTF-8'],
    ['f.txt', '', 'f.txt is empty (0 bytes of text)'],
    ['g.txt', Uint8Array.of(0xff, 0xfe, 0x61, 0x00), 'g.txt is UTF-16 (little-endian), not UTF-8'],
  ])('refuses %s', async (name, content, message) => {
    await expect(blocksOf(file(name, content), 2 ** 20)).rejects.toThrow(message);
  });

  it('refuses a line without an end', async () => {
    const path = file('h.txt', 'a\n'.padEnd(5000, 'b'));
    const read = async (): Promise<void> => {
      for await (const block of readLineBlocks(path, { chunkBytes: 100, maximumLineBytes: 1000 }))
        expect(block.length).toBe(2);
    };
    await expect(read()).rejects.toThrow('line 2 has more than 1000 bytes, which is the limit');
  });
});

describe('readLabelledTexts', () => {
  it('tells the format and reads on', async () => {
    const texts = await readLabelledTexts(file('i.txt', text), { chunkBytes: 100 });
    expect([texts.size, texts.labels.size, texts.words.size]).toEqual([400, 7, 402]);
    const csv = await readLabelledTexts(file('j.csv', 'label,text\nx,a b\n'), {});
    expect([csv.size, csv.words.textOf(1)]).toEqual([1, 'b']);
    const hashed = await readLabelledTexts(file('k.txt', '#x a\n'), { labelPrefix: '#' });
    expect(hashed.labels.textOf(0)).toBe('x');
    const told = await openLabelled(file('l.txt', '3 2 1\n'), {});
    expect(told.format).toBe('xmc');
    await told.blocks.return();
  });

  it('names the file and the line where it cannot', async () => {
    const path = file('m.txt', 'the lazy cat\n');
    await expect(readLabelledTexts(path, {})).rejects.toThrow(
      /m\.txt: line 1: "the lazy cat" does not tell the format: .* begins with the label prefix "__label__"/,
    );
    expect((await readLabelledTexts(path, { otherwise: 'fasttext' })).size).toBe(1);
    await expect(readLabelledTexts(file('n.txt', '1 1 1\n0 0:1\n'), {})).rejects.toThrow(
      'has points of given features',
    );
  });
});
