import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readLines, readText, type ReadLinesOptions } from '../../src/node/read-lines.ts';
import type { LinePart } from '../../src/text/long-lines.ts';
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
        `line-too-long: readLines: ${path}: line 2 has more than 4 bytes, which is the limit; is it a text file?`,
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

describe('what a file is', () => {
  const text = 'ab cd\nef\n';

  it.each([
    ['gzip, whatever the name', gzipSync(text), 'a.txt'],
    ['gzip, in capitals', gzipSync(text), 'A.TXT.GZ'],
    ['gzip, named Brotli', gzipSync(text), 'b.br'],
    ['Brotli, in capitals', brotliCompressSync(text), 'A.BR'],
    ['a text that begins like the name of a format', 'ab cd\nef\n', 'PAR1'],
  ])('is read from its first bytes: %s', async (_, content, name) => {
    for (const chunkBytes of [1, 4096]) expect(await all(file(content, name), { chunkBytes })).toEqual(['ab cd', 'ef']);
  });

  it.each([
    ['PAR1\x15\x04', 'is a Parquet file, which has no lines'],
    ['\xfd7zXZ\0', 'is compressed by xz; decompress it'],
    ['PK\x03\x04', 'is compressed by zip; decompress it'],
    ['BZh91AY&SY', 'is compressed by bzip2; decompress it'],
    ['\xff\xfea\0', 'is UTF-16 (little-endian), not UTF-8; convert it: iconv -f UTF-16 -t UTF-8'],
    ['\xfe\xff\0a', 'is UTF-16 (big-endian), not UTF-8'],
  ])('is said of bytes that are no text: %j', async (bytes, message) => {
    expect(await thrownBy(() => all(file(Buffer.from(bytes, 'latin1'))))).toContain(`text.txt ${message}`);
  });

  it('is said of gzip within gzip', async () => {
    expect(await thrownBy(() => all(file(gzipSync(gzipSync(text)))))).toContain('is compressed by gzip twice');
  });

  it('is said of UTF-16 and UTF-32 without a byte order mark, which would be read as letters and zeros', async () => {
    const utf16 = Buffer.from('Было жарко\nи светло\n', 'utf16le');
    expect(await thrownBy(() => all(file(utf16)))).toContain('is UTF-16LE without a byte order mark, not UTF-8');
    expect(await thrownBy(() => all(file(Buffer.from(utf16).swap16())))).toContain('is UTF-16BE without');
    const utf32 = Buffer.concat([...'some text'].map((letter) => Buffer.from([letter.charCodeAt(0), 0, 0, 0])));
    expect(await thrownBy(() => all(file(utf32)))).toContain('is UTF-32 without a byte order mark');
    expect(await all(file('a\0b\0'))).toEqual(['a\0b\0']);
  });
});

describe('a byte order mark in the middle, as where files were joined', () => {
  it('stays, and is warned of once, with its line', async () => {
    const warnings: string[] = [];
    const path = file('\ufeffa\nb\n\ufeffc\n\ufeffd');
    expect(await all(path, { onWarning: (message) => warnings.push(message) })).toEqual([
      'a',
      'b',
      '\ufeffc',
      '\ufeffd',
    ]);
    expect(warnings).toEqual([
      `${path}: line 3 begins with a byte order mark (U+FEFF), as where files were joined; it is read as a part of its first word`,
    ]);
    await all(file('\ufeffa \ufeff\nb'), { onWarning: (message) => warnings.push(message) });
    expect(warnings).toHaveLength(1);
  });
});

describe('lines that are not UTF-8', () => {
  it('are left out when asked, each with its number', async () => {
    const left: number[] = [];
    const path = file(Buffer.from('a\nb\xf6\nc\n\xff', 'latin1'));
    expect(await all(path, { onNotUtf8: (line) => left.push(line) })).toEqual(['a', 'c']);
    expect(left).toEqual([2, 4]);
  });
});

describe('readText', () => {
  const parts = async (path: string, options?: ReadLinesOptions): Promise<(string | LinePart)[]> => {
    const items: (string | LinePart)[] = [];
    for await (const item of readText(path, options)) items.push(item);
    return items;
  };
  const joined = (items: readonly (string | LinePart)[]): string =>
    items.map((item) => (typeof item === 'string' ? `${item}\n` : item.part)).join('');

  it('gives short lines as readLines does', async () => {
    expect(await parts(file('\ufeffa b\r\n\nc'))).toEqual(['a b', '', 'c']);
  });

  it.each([
    ['spaces', ' wörter'],
    ['tabs', '\twörter'],
    ['ideographic spaces', '\u3000東京'],
    ['full stops only', '東京。'],
  ])('gives a line of megabytes in parts, whole words each: %s', async (_, unit) => {
    const line = unit.repeat(300_000);
    for (const end of ['', '\r\n', '\nnext\n']) {
      const items = await parts(file(`\ufeff${line}${end}`));
      expect(joined(items)).toBe(`${line}\n${end === '\nnext\n' ? 'next\n' : ''}`);
      expect(items.length).toBeGreaterThan(2);
      for (const item of items)
        expect(Buffer.byteLength(typeof item === 'string' ? item : item.part)).toBeLessThan(2 ** 21);
      const isWhole = (item: string | LinePart): boolean =>
        typeof item === 'string' || !item.part.endsWith(unit.slice(0, 1));
      expect(items.every(isWhole)).toBe(true);
    }
  });

  it('numbers lines and bytes beyond a long line', async () => {
    const path = file(Buffer.concat([Buffer.from('ab '.repeat(500_000)), Buffer.from('\nx\xf6', 'latin1')]));
    expect(await thrownBy(() => parts(path))).toContain('line 2: byte 0xF6 at offset 1500002 is not valid UTF-8');
    const late = file(Buffer.concat([Buffer.from('ab '.repeat(500_000)), Buffer.from('x\xf6', 'latin1')]));
    expect(await thrownBy(() => parts(late))).toContain('line 1: byte 0xF6 at offset 1500001');
  });

  it('limits what has no white space', async () => {
    const path = file(`${'x'.repeat(3_000_000)}\ny`);
    expect(await parts(path)).toEqual(['x'.repeat(3_000_000), 'y']);
    expect(await thrownBy(() => parts(path, { maximumLineBytes: 2_000_000 }))).toBe(
      `line-too-long: readLines: ${path}: line 1 has more than 2000000 bytes without white space, which is the limit; is it a text file?`,
    );
  });
});
