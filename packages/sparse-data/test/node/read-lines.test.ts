import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readLines, type ReadLinesOptions } from '../../src/node/read-lines.ts';
import { thrownBy } from '../thrown-by.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-read-lines-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(content: string | Uint8Array, name = 'text.txt'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function all(path: string, options?: ReadLinesOptions): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(path, options)) lines.push(line);
  return lines;
}

describe('readLines', () => {
  it('gives back any lines, whatever the chunks and line ends', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/^\ufeff|[\r\n]/g, ''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (lines, lineEnd, chunkBytes, bom) => {
          const path = file((bom ? '\ufeff' : '') + lines.map((text) => text + lineEnd).join(''));
          expect(await all(path, { chunkBytes })).toEqual(lines);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['a\nb', ['a', 'b']],
    ['a\r\n\r\nb\r', ['a', '', 'b']],
    ['\n', ['']],
    ['a\rb\u2028c\u0085d\n', ['a\rb\u2028c\u0085d']],
    ['\ufeff\ufeffa\n\ufeffb', ['\ufeffa', '\ufeffb']],
  ])('reads %j', async (content, lines) => {
    expect(await all(file(content))).toEqual(lines);
  });

  const long = Array.from({ length: 20_000 }, (_, at) => `line ${String(at)} ü`);

  it.each([
    ['.gz', gzipSync],
    ['.br', brotliCompressSync],
  ] as const)('decompresses %s', async (extension, compress) => {
    expect(await all(file(compress(long.join('\n')), `long.txt${extension}`))).toEqual(long);
  });

  it('reports the bytes read of a file of many chunks', async () => {
    const path = file(long.join('\n'));
    const seen: [number, number][] = [];
    expect(await all(path, { onProgress: (bytes, fileBytes) => seen.push([bytes, fileBytes]) })).toEqual(long);
    const size = Buffer.byteLength(long.join('\n'));
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toEqual([size, size]);
    expect(seen.map(([bytes]) => bytes)).toEqual(seen.map(([bytes]) => bytes).sort((a, b) => a - b));
  });

  it('ends with the reason of its signal, before opening and in between', async () => {
    const controller = new AbortController();
    const lines = readLines(file(long.join('\n')), { signal: controller.signal, chunkBytes: 64 });
    expect((await lines.next()).value).toBe('line 0 ü');
    controller.abort();
    await expect(
      (async () => {
        while ((await lines.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' });
    await expect(all(join(folder, 'absent'), { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });

  it('can be left early, and passes on what a callback throws', async () => {
    const path = file(long.join('\n'));
    for await (const line of readLines(path)) {
      expect(line).toBe('line 0 ü');
      break;
    }
    await expect(
      all(path, {
        onProgress: () => {
          throw new TypeError('mine');
        },
      }),
    ).rejects.toThrow(TypeError);
  });

  it('names line, offset and byte of what is not UTF-8, after delivering the lines before', async () => {
    const path = file(
      Buffer.concat([Buffer.from('\ufeffgut\r\nschön\nsch'), Buffer.from([0xf6]), Buffer.from('n\n')]),
      'latin1.txt',
    );
    for (const chunkBytes of [1, 5, 4096]) {
      const lines: string[] = [];
      const message = await thrownBy(async () => {
        for await (const line of readLines(path, { chunkBytes })) lines.push(line);
      });
      expect(message).toBe(
        `not-utf8: readLines: ${path}: line 3: byte 0xF6 at offset 18 is not valid UTF-8; convert the file to UTF-8, e.g. with iconv`,
      );
      expect(lines).toEqual(['gut', 'schön']);
    }
    expect(await thrownBy(() => all(file(Uint8Array.of(0x41, 0xe2, 0x82))))).toContain('line 1: byte 0xE2 at offset 1');
  });

  it('limits the length of a line', async () => {
    expect(await all(file('abc\nabcd'), { maximumLineBytes: 4 })).toEqual(['abc', 'abcd']);
    for (const chunkBytes of [1, 2, 100]) {
      const path = file('abc\nabcde\nf');
      expect(await thrownBy(() => all(path, { maximumLineBytes: 4, chunkBytes }))).toBe(
        `line-too-long: readLines: ${path}: line 2 has more than 4 bytes; is it a text file? If so, raise maximumLineBytes`,
      );
      expect(await thrownBy(() => all(file('abcde'), { maximumLineBytes: 4, chunkBytes }))).toContain(
        'line-too-long: ',
      );
    }
  });

  it('says what is wrong with a file', async () => {
    const absent = join(folder, 'absent.txt');
    expect(await thrownBy(() => all(absent))).toBe(
      `missing-file: readLines: there is no file ${absent}; check the path`,
    );
    expect(await thrownBy(() => all(join(file('a'), 'below')))).toContain('missing-file: ');
    expect(await thrownBy(() => all(folder))).toBe(
      `not-a-file: readLines: ${folder} is a directory; a text file is needed`,
    );
    expect(await thrownBy(() => all(file('')))).toContain('empty-input: ');
    expect(await thrownBy(() => all(file(gzipSync(''), 'empty.gz')))).toContain('empty-input: ');
    expect(await thrownBy(() => all(file('no gzip', 'plain.gz')))).toContain('corrupt-compression: ');
    expect(await thrownBy(() => all(file('no brotli', 'plain.br')))).toContain('corrupt-compression: ');
    expect(await thrownBy(() => all(file(gzipSync(long.join('\n')).subarray(0, -20), 'cut.gz')))).toContain(
      'corrupt-compression: ',
    );
    expect(await thrownBy(() => all(file(brotliCompressSync(long.join('\n')).subarray(0, -20), 'cut.br')))).toContain(
      'corrupt-compression: ',
    );
    expect(await thrownBy(() => all(file('a'), { maximumLineBytes: 0 }))).toContain(
      'bad-option: readLines: maximumLineBytes is 0',
    );
  });

  it('says that a file is not readable', async () => {
    // A link to itself: the one kind of unreadable file that root, as whom some test machines run, cannot read either.
    const path = join(folder, 'loop.txt');
    symlinkSync(path, path);
    expect(await thrownBy(() => all(path))).toContain(`unreadable-file: readLines: ${path} cannot be read (ELOOP`);
  });
});
