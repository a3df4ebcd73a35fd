// Files made to do harm: bombs that are small on disk and large once parsed, sizes that only exist on paper, and
// manifests that parsers understand differently.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { failureOf, sealed } from '@vastmax/checkpoints/testing';
import { bundleProgram } from '@vastmax/test-programs';
import { afterAll, describe, expect, it } from 'vitest';
import { createFileStorage } from '../src/file-storage.ts';
import { openCheckpoint } from '../src/open-checkpoint.ts';
import { writeCheckpoint } from '../src/write-checkpoint.ts';
import { contentOfGeneration } from './fixtures/generations.ts';
import { openSafetensorsFile } from './fixtures/safetensors-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'vastmax-hostile-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function withHeader(header: string, claimed = BigInt(Buffer.byteLength(header))): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed);
  return Buffer.concat([prefix, Buffer.from(header)]);
}

/** As long as a header or a manifest may be. */
function filled(before: string, each: (at: number) => string, after: string): string {
  const parts = [before];
  for (let length = before.length + after.length, at = 0; ; at++) {
    const part = each(at);
    length += part.length;
    if (length > 2 ** 24 - 100) break;
    parts.push(part);
  }
  return parts.join('') + after;
}

/** What a process of its own says of files and folders that it opens, and by how many MiB its memory rose at most. */
async function openElsewhere(paths: readonly string[]): Promise<{ codes: string[]; mebibytes: number }> {
  const program = fileURLToPath(await bundleProgram(new URL('fixtures/open-hostile-files.ts', import.meta.url)));
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=400', program, ...paths]);
  return JSON.parse(stdout) as { codes: string[]; mebibytes: number };
}

describe('a bomb', () => {
  // Of 16 MiB at a time, as bytes and as text, and what is scanned and parsed of it.
  const maxMebibytes = 350;

  it.each([
    ['of many small values', ['arrays', 'flat', 'objects', 'strings']],
    ['of depth, length, and many tensors', ['tensors', 'deep', 'digits', 'unclosed']],
  ] as const)('in a header, %s, is refused with little memory', async (_, names) => {
    const headers = {
      arrays: filled('{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[', () => '[],', '0]}}'),
      flat: filled('{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[', () => '0,', '0]}}'),
      objects: filled('{', (at) => `"${at.toString(36)}":{},`, '"z":{}}'),
      strings: filled('{"__metadata__":{', (at) => `"${at.toString(36)}":"",`, '"a":""}}'),
      tensors: filled(
        '{',
        (at) => `"${at}":{"dtype":"F32","shape":[0,0],"data_offsets":[0,0]},`,
        '"":{"dtype":"F32","shape":[0,0],"data_offsets":[0,1]}}',
      ),
      deep: `{"a":${'['.repeat(8_000_000)}${']'.repeat(8_000_000)}}`,
      digits: filled('{"a":{"dtype":"F32","shape":[', () => '9'.repeat(1000), ',1],"data_offsets":[0,8]}}'),
      unclosed: filled('{"', () => '\\"', ''),
    };
    const paths = names.map((name) => {
      const path = join(folder, `${name}.safetensors`);
      writeFileSync(path, withHeader(headers[name]));
      return path;
    });
    const { codes, mebibytes } = await openElsewhere(paths);
    expect(codes).toEqual(names.map(() => 'invalid-header'));
    expect(mebibytes).toBeLessThan(maxMebibytes);
  });

  it('of sizes on paper, or in a manifest, is refused with little memory', async () => {
    // A terabyte that is not there, and one that the file system says is there.
    const claimed = join(folder, 'claimed.safetensors');
    writeFileSync(
      claimed,
      withHeader(`{"a":{"dtype":"F32","shape":[274877906944,1],"data_offsets":[0,1099511627776]}}`),
    );
    const sparse = join(folder, 'sparse.safetensors');
    writeFileSync(sparse, withHeader('{}', 2n ** 40n));
    truncateSync(sparse, 2 ** 40);
    const manifests = [
      filled('{"format":"vastmax-checkpoint","configuration":{"a":[', () => '[],', '0]}}'),
      filled('{"format":"vastmax-checkpoint","configuration":', () => '{"a":', ''),
      filled('{', (at) => `"${at.toString(36)}":0,`, '"format":"vastmax-checkpoint"}'),
    ].map((text, at) => {
      const path = join(folder, `bomb-${at}`);
      mkdirSync(path);
      writeFileSync(join(path, 'checkpoint.json'), text);
      return path;
    });
    const huge = join(folder, 'bomb-huge');
    mkdirSync(huge);
    writeFileSync(join(huge, 'checkpoint.json'), '');
    truncateSync(join(huge, 'checkpoint.json'), 2 ** 40);

    const { codes, mebibytes } = await openElsewhere([claimed, sparse, ...manifests, huge]);
    expect(codes).toEqual(['truncated', 'invalid-header', 'bad-json', 'bad-json', 'bad-json', 'corrupted']);
    expect(mebibytes).toBeLessThan(maxMebibytes);
  });

  it('in a tensor of more numbers than can be held is refused when it is read whole', async () => {
    const path = join(folder, 'terabyte.safetensors');
    const header = '{"a":{"dtype":"F32","shape":[274877906944,1],"data_offsets":[0,1099511627776]}}';
    writeFileSync(path, withHeader(header));
    truncateSync(path, 8 + header.length + 2 ** 40);
    await using file = await openSafetensorsFile(path);
    const [tensor] = file.tensors;
    expect(await tensor?.read(2 ** 38 - 2, 2)).toEqual(new Float32Array(2));
    expect(await failureOf(() => tensor?.read(0, 2 ** 38))).toMatchObject({
      code: 'bad-argument',
      message: `safetensors: ${path}: tensor "a": 274877906944 rows of 1 are 274877906944 numbers, more than can be held; read fewer at a time`,
    });
  });
});

describe('a manifest that parses in more than one way', () => {
  const one = join(folder, 'run');
  const problemOf = async (change: (text: string) => string): Promise<string> => {
    const path = join(one, 'checkpoint.json');
    await writeCheckpoint(createFileStorage(one), contentOfGeneration(1));
    const original = readFileSync(path, 'utf8');
    writeFileSync(path, sealed(change(original.replace(/"checksum": "\w+"/, `"checksum": "${'0'.repeat(64)}"`))));
    const { code, message } = await failureOf(() => openCheckpoint(createFileStorage(one)));
    expect(message).toContain(path);
    return `${code}: ${message.slice(message.indexOf(')') + 2)}`;
  };

  it('is refused: keys twice, __proto__, numbers past the largest, depth', async () => {
    expect(await problemOf((text) => text.replace('"step":', '"step": 1, "step":'))).toBe(
      'bad-json: has "step" twice in one object',
    );
    expect(await problemOf((text) => text.replace('"step":', String.raw`"st\u0065p": 1, "step":`))).toBe(
      'bad-json: has "step" twice in one object',
    );
    expect(await problemOf((text) => text.replace('"step":', '"__proto__": {}, "step":'))).toBe(
      'bad-json: has the key "__proto__"',
    );
    expect(await problemOf((text) => text.replace('"step":', '"rate": 1e999, "step":'))).toMatch(
      /^bad-json: has the number "1e999" at character \d+, which is beyond the largest of 64 bits$/,
    );
    expect(
      await problemOf((text) => text.replace('"step":', `"deep": ${'['.repeat(200)}${']'.repeat(200)}, "step":`)),
    ).toMatch(/^bad-json: is nested deeper than 103 at character \d+$/);
  });
});
