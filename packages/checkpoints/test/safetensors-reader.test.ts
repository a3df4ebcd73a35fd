import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '@vastmax/checkpoints/testing';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { isCheckpointError } from '../src/errors.ts';
import { parseSafetensorsHeader, readMatrix } from '../src/safetensors-reader.ts';
import { openSafetensorsFile } from './fixtures/safetensors-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-header-'));
const path = join(folder, 'file.safetensors');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileOf(header: string | Uint8Array, dataBytes: number, claimed?: bigint): Buffer {
  const bytes = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed ?? BigInt(bytes.length));
  return Buffer.concat([prefix, bytes, Buffer.alloc(dataBytes, 1)]);
}

async function failureOfFile(file: Uint8Array): Promise<string> {
  writeFileSync(path, file);
  const { code, message } = await failureOf(() => openSafetensorsFile(path));
  expect(message).toContain(path);
  return `${code}: ${message.slice(message.indexOf(path) + path.length)}`;
}

const tensor = (begin: number, end: number, shape = `[${(end - begin) / 4},1]`, dtype = '"F32"'): string =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('a hostile header', () => {
  it.each([
    ['{', 'invalid-header', 'the header is not JSON'],
    ['', 'invalid-header', 'the header begins with "" instead of "{"'],
    ['[]', 'invalid-header', 'begins with "["'],
    [' {}', 'invalid-header', 'begins with " "'],
    ['{"a":1}', 'invalid-header', 'tensor "a" is not an object of dtype, shape and data_offsets'],
    ['{"a":null}', 'invalid-header', 'tensor "a" is not an object'],
    ['{"a":{"dtype":"F32","shape":[2,1]}}', 'invalid-header', 'tensor "a" is not an object'],
    [`{"a":${tensor(0, 8).replace('{', '{"more":1,')}}`, 'invalid-header', 'tensor "a" is not an object'],
    [
      `{"a":${tensor(0, 8, '[2,1]', '"BF16"')}}`,
      'invalid-header',
      'the dtype "BF16"; F32, F64, I32, F16, U8 are supported',
    ],
    [`{"a":${tensor(0, 8, '[2,1]', '["F32"]')}}`, 'invalid-header', 'the dtype ["F32"]'],
    [`{"a":${tensor(0, 8, '[2,1]', '"constructor"')}}`, 'invalid-header', 'the dtype "constructor"'],
    [`{"a":${tensor(0, 8, '[2]')}}`, 'invalid-header', 'the shape [2]'],
    [`{"a":${tensor(0, 8, '[2,1,1]')}}`, 'invalid-header', 'the shape [2, 1, 1]'],
    [`{"a":${tensor(0, 8, '[-2,-1]')}}`, 'invalid-header', 'the shape [-2, -1]'],
    [`{"a":${tensor(0, 8, '[0.5,4]')}}`, 'invalid-header', 'the shape [0.5, 4]'],
    [`{"a":${tensor(0, 8, '["2",1]')}}`, 'invalid-header', 'the shape ["2", 1]'],
    [`{"a":${tensor(0, 8, '[1e300,1]')}}`, 'invalid-header', 'the shape [1e+300, 1]'],
    [
      `{"a":${tensor(0, 8, '[1e999,1]')}}`,
      'invalid-header',
      'the header has the number "1e999" at character 29, which is beyond the largest of 64 bits',
    ],
    [`{"a":${tensor(0, 8, '[1,1,1,1,1,1,1,2]')}}`, 'invalid-header', 'the shape [1, 1, 1, 1, 1, 1, ...]'],
    [
      `{"a":${tensor(0, 8, '[1,1,1,1,1,1,1,1,2]')}}`,
      'invalid-header',
      'the header has an array of more than 8 elements at character 44',
    ],
    [`{"a":${tensor(0, 4, '[2,1]', '"F16"')}}`, 'invalid-header', '4 bytes follow the last tensor'],
    [`{"a":${tensor(0, 8, '{"0":2,"1":1}')}}`, 'invalid-header', 'the shape an object'],
    [`{"a":${tensor(0, 8, '[4503599627370496,4503599627370496]')}}`, 'invalid-header', 'more than 2^53 bytes'],
    [`{"a":${tensor(0, 8, '[3,1]')}}`, 'invalid-header', 'needs 12 bytes; its data_offsets [0, 8] span 8'],
    [`{"a":${tensor(8, 0, '[2,1]')}}`, 'invalid-header', 'its data_offsets [8, 0] span -8'],
    ['{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[-8,0]}}', 'invalid-header', 'the data_offsets [-8, 0]'],
    ['{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8,8]}}', 'invalid-header', 'the data_offsets [0, 8, 8]'],
    ['{"a":{"dtype":"F32","shape":[2,1],"data_offsets":8}}', 'invalid-header', 'the data_offsets 8'],
    [
      `{"a":${tensor(0, 4)},"b":${tensor(0, 8)}}`,
      'invalid-header',
      'other tensors overlap tensor "b": it begins at 0, those before it end at 4',
    ],
    [`{"a":${tensor(0, 8)},"b":${tensor(4, 8)}}`, 'invalid-header', 'other tensors overlap tensor "b"'],
    [`{"a":${tensor(4, 8)}}`, 'invalid-header', 'there is a gap of 4 bytes before tensor "a"'],
    [`{"a":${tensor(0, 4)}}`, 'invalid-header', '4 bytes follow the last tensor: the tensors need 4, the file has 8'],
    ['{}', 'invalid-header', '8 bytes follow the last tensor'],
    [`{"a":${tensor(0, 16)}}`, 'truncated', 'is truncated: its tensors need 16 bytes after the header, the file has 8'],
    [`{"a":${tensor(0, 8)},"a":${tensor(0, 8)}}`, 'invalid-header', 'the header has "a" twice in one object'],
    [`{"a":${tensor(0, 8)},"\\u0061" :${tensor(0, 8)}}`, 'invalid-header', 'the header has "a" twice in one object'],
    [
      `{"a":${tensor(0, 8).replace('{', '{"dtype":"F64",')}}`,
      'invalid-header',
      'the header has "dtype" twice in one object',
    ],
    [`{"__proto__":${tensor(0, 8)}}`, 'invalid-header', 'the header has the key "__proto__"'],
    [`{"a":${tensor(0, 8).replace('{', '{"__proto__":{},')}}`, 'invalid-header', '"__proto__"'],
    [`{"__metadata__":{"__proto__":"x"},"a":${tensor(0, 8)}}`, 'invalid-header', '"__proto__"'],
    [`{"__metadata__":{"x":1},"a":${tensor(0, 8)}}`, 'invalid-header', '__metadata__ "x" is not a string'],
    [`{"__metadata__":[],"a":${tensor(0, 8)}}`, 'invalid-header', '__metadata__ is not an object of strings'],
    [`{"a":${tensor(0, 8)}} x`, 'invalid-header', 'the header is not JSON'],
  ])('%s', async (header, code, problem) => {
    const failure = await failureOfFile(fileOf(header, 8));
    expect(failure).toContain(`${code}: `);
    expect(failure).toContain(problem);
  });

  it('is refused however deep it is or long its names are', async () => {
    expect(await failureOfFile(fileOf(`{"${'n'.repeat(5000)}":1}`, 8))).toContain(
      `tensor "${'n'.repeat(80)}..." is not`,
    );
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(await failureOfFile(fileOf(`{"a":${tensor(0, 8, deep)}}`, 8))).toContain(
      'the header is nested deeper than 3 at character 29',
    );
    expect(await failureOfFile(fileOf(`{"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_001)}`, 8))).toContain(
      'the header is nested deeper than 3 at character 15',
    );
  });

  it('may use escapes, spaces and names that look like keys', () => {
    const { tensors, metadata } = parseSafetensorsHeader(
      `{ "__metadata__" : {"a":"\\"a\\":{"} , "a\\\\" :${tensor(0, 8)},"1":${tensor(8, 8, '[0,7]')}}  \n`,
      'x',
      8,
      readMatrix,
    );
    expect(new Set(tensors.map(({ name }) => name))).toEqual(new Set(['a\\', '1']));
    expect([...metadata]).toEqual([['a', '"a":{']]);
  });

  it('says both sizes of a file cut off, at every length', async () => {
    const whole = fileOf(`{"a":${tensor(0, 8)}}`, 8);
    for (let length = 0; length < whole.length; length++) {
      const failure = await failureOfFile(whole.subarray(0, length));
      expect(failure).toMatch(/^truncated: .* is truncated: .*\d+.* the file has \d+$/s);
    }
  });

  it('is not believed about its length', async () => {
    const whole = (claimed: bigint): Buffer => fileOf(`{"a":${tensor(0, 8)}}`, 8, claimed);
    expect(await failureOfFile(whole(2n ** 64n - 1n))).toContain(
      'invalid-header: : its header claims 18446744073709551615 bytes; at most 16777216 are allowed',
    );
    expect(await failureOfFile(whole(2n ** 24n + 1n))).toContain('invalid-header');
    expect(await failureOfFile(whole(2n ** 24n))).toContain('truncated');
    expect(await failureOfFile(fileOf(Uint8Array.of(0x7b, 0xff, 0x7d), 0))).toContain('its header is not UTF-8');
  });

  it('gives tensors inside the file or a CheckpointError, whatever its bytes', async () => {
    const header = `{"__metadata__":{"k":"v"},"a":${tensor(0, 8)},"b":${tensor(8, 24, '[1,2]', '"F64"')},"c":${tensor(24, 24, '[0,3]', '"I32"')}}`;
    const whole = fileOf(header, 24);
    const edit = fc.record({
      at: fc.nat(whole.length - 1),
      remove: fc.nat(3),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.constantFrom('[', '{', '}', '"', '9', '-', ',', '0', 'e9', '\\').map((text) => Buffer.from(text)),
      ),
    });
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.boolean(), async (edits, fixLength) => {
        let file = whole;
        for (const { at, remove, insert } of edits)
          file = Buffer.concat([file.subarray(0, at), insert, file.subarray(at + remove)]);
        // Else nearly every insertion would only shift the data and end at the first check.
        if (fixLength && file.length > 32) file.writeBigUInt64LE(BigInt(file.length - 32));
        writeFileSync(path, file);
        try {
          await using back = await openSafetensorsFile(path);
          opened++;
          for (const each of back.tensors) {
            const values = await each.read(0, each.rows);
            expect(values.byteLength).toBeLessThan(file.length);
          }
        } catch (error) {
          if (!isCheckpointError(error)) throw error;
        }
      }),
      { numRuns: 1500 },
    );
    expect(opened).toBeGreaterThan(0);
  });
});
