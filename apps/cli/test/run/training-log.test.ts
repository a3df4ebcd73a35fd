import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c, encodeFileVersion, encodeScalars } from '../../src/run/tensorboard-events.ts';
import { createScratchFolder } from '../scratch-folder.ts';
import { toyModel } from '../toy-text.ts';
import { vastmax } from '../vastmax.ts';

const folder = createScratchFolder();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The bytes of each record, both checksums verified. */
function recordsOf(file: Buffer): Buffer[] {
  const masked = (bytes: Uint8Array): number => (((crc32c(bytes) >>> 15) | (crc32c(bytes) << 17)) + 0xa282ead8) >>> 0;
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 8)).toBe(masked(file.subarray(at, at + 8)));
    expect(file.readUInt32LE(at + 12 + length)).toBe(masked(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

describe('crc32c', () => {
  it.each([
    // RFC 3720, B.4.
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [new TextEncoder().encode('123456789'), 0xe3069283],
    [new Uint8Array(), 0],
  ])('%# is that of the standard', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});

describe('event files', () => {
  it('have the bytes that TensorBoard 2.21 writes for the same events', () => {
    expect(hex(encodeFileVersion(1700000000.25))).toBe(
      '1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9',
    );
    expect(hex(encodeScalars(1700000001.5, 300000, { loss: 1.5, 'rate/body': -0.1 }))).toBe(
      '2e00000000000000c5cb57fa0900006040fc54d94110e0a7122a1f0a0b0a046c6f7373150000c03f0a100a09726174652f626f647915cdccccbdfc9d6fb0',
    );
  });
});

describe('train', () => {
  it('logs every report as JSON Lines and as an event file, and a resumed run goes on with both', async () => {
    const run = `train train.txt -o model ${toyModel} --log logs/run.jsonl --tensorboard events`;
    expect(await vastmax(folder, `${run} --epochs 2`)).toMatchObject({ code: 0, stderr: '' });
    const entries = (): Record<string, unknown>[] =>
      readFileSync(join(folder, 'logs/run.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const first = entries();
    expect(first.length).toBeGreaterThan(5);
    for (const entry of first) {
      expect(Object.keys(entry)).toEqual([
        'step',
        'examples',
        'loss',
        'examplesPerSecond',
        'seconds',
        'bodyRate',
        'outputRate',
        'rebases',
      ]);
      for (const value of Object.values(entry)) expect(value).toEqual(expect.any(Number));
    }
    const steps = first.map(({ step }) => Number(step));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(Number(first.at(-1)?.['loss'])).toBeLessThan(Number(first[0]?.['loss']));

    expect(await vastmax(folder, `${run} --epochs 3 --resume`)).toMatchObject({ code: 0, stderr: '' });
    const all = entries();
    expect(all.slice(0, first.length)).toEqual(first);
    expect(Number(all.at(-1)?.['step'])).toBeGreaterThan(Number(first.at(-1)?.['step']));

    const files = readdirSync(join(folder, 'events')).sort();
    expect(files).toHaveLength(2);
    expect(files.every((file) => file.startsWith('events.out.tfevents.'))).toBe(true);
    const records = files.flatMap((file) => recordsOf(readFileSync(join(folder, 'events', file))));
    expect(records).toHaveLength(all.length + 2);
    for (const tag of ['loss', 'examples_per_second', 'rate/body', 'rate/output', 'rebases'])
      expect(records[1]?.includes(tag)).toBe(true);
  });

  it('logs null where a layer has no generations, and refuses a place that cannot be written', async () => {
    expect(
      await vastmax(folder, `train train.txt -o full ${toyModel} --output-layer full --log full.jsonl`),
    ).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder, 'full.jsonl'), 'utf8')).toMatch(/^(\{.*"rebases":null\}\n)+$/);
    const { code, stderr } = await vastmax(folder, `train train.txt -o absent ${toyModel} --log train.txt/log.jsonl`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^vastmax: --log train\.txt\/log\.jsonl cannot be written: E\w+: .*\n$/);
  });
});
