import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseXmc, type XmcOptions } from '../../src/labels/parse-xmc.ts';
import { parseXmcRows, type XmcBatch, type XmcRowsOptions } from '../../src/labels/parse-xmc-rows.ts';
import { allOf } from '../all-of.ts';
import { thrownBy } from '../thrown-by.ts';
import { naiveParseXmc } from './naive-parse-xmc.ts';

interface Read {
  readonly points: { readonly line: number; readonly labels: number[]; readonly entries: [number, number][] }[];
  readonly error: string;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function naive(lines: readonly string[], options: XmcOptions): Promise<Read> {
  const points: Read['points'] = [];
  const error = await thrownBy(() => {
    for (const { line, labels, features, values } of naiveParseXmc(lines, options))
      points.push({ line, labels: [...labels], entries: [...features].map((feature, at) => [feature, values[at]!]) });
  });
  return { points, error };
}

async function byLine(lines: readonly string[], options: XmcOptions): Promise<Read> {
  const points: Read['points'] = [];
  const error = await thrownBy(async () => {
    for await (const { line, labels, features, values } of parseXmc(lines, options))
      points.push({ line, labels: [...labels], entries: [...features].map((feature, at) => [feature, values[at]!]) });
  });
  return { points, error };
}

async function byBlock(blocks: readonly string[], options: XmcRowsOptions): Promise<Read> {
  const points: Read['points'] = [];
  const error = await thrownBy(async () => {
    for await (const { inputs, targets, lines } of parseXmcRows(blocks.map(bytesOf), options)) {
      expect(lines).toHaveLength(inputs.rows);
      for (let row = 0; row < inputs.rows; row++) {
        const entries: [number, number][] = [];
        for (let entry = inputs.offsets[row]!; entry < inputs.offsets[row + 1]!; entry++)
          entries.push([inputs.indices[entry]!, inputs.values?.[entry] ?? 1]);
        const labels = [...targets.indices.subarray(targets.offsets[row], targets.offsets[row + 1])];
        points.push({ line: lines[row]!, labels, entries });
      }
    }
  });
  return { points, error };
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.nat(), fc.nat(999_999)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom(
    '1',
    '-0',
    '+1',
    '1.',
    '.5',
    '0.1',
    '123456789012345',
    '1234567890123456',
    '00000000000000001',
    '.',
    '',
  ),
);
const entry = fc.tuple(fc.nat(9), number).map(([feature, value]) => `${feature}:${value}`);
const soup = fc.string({
  unit: fc.constantFrom(
    '1',
    '9',
    '0',
    ':',
    ',',
    ' ',
    '\t',
    '-',
    '+',
    '.',
    'e',
    '\r',
    '\v',
    '\u00a0',
    '\ufeff',
    'é',
    '\u3000',
    '☃',
  ),
  maxLength: 14,
});
const lineText = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.array(fc.nat(5), { maxLength: 3 }), fc.array(entry, { maxLength: 4 }), fc.constantFrom(' ', '\t', '  '))
      .map(([labels, entries, space]) => [labels.join(','), ...entries].join(space)),
  },
  { weight: 1, arbitrary: soup },
);

describe('points out of bytes', () => {
  it('are those of the parser of strings, and so are the errors, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(lineText, { maxLength: 6 }),
        fc.constantFrom(0 as const, 1 as const),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
        async (texts, firstFeature, hasHeader, batchSize, ends) => {
          const lines = hasHeader ? [`${texts.length} 9 5`, ...texts] : texts;
          const options = { name: 't', firstFeature, ...(hasHeader ? {} : { shape: { features: 9, labels: 5 } }) };
          const expected = await naive(lines, options);
          expect(await byLine(lines, options)).toEqual(expected);
          const blocks: string[] = [''];
          lines.forEach((text, at) => {
            blocks[blocks.length - 1] += `${text}\n`;
            if (ends[at] === true) blocks.push('');
          });
          expect(await byBlock(blocks, { ...options, batchSize })).toEqual(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('have no values where all are 1, and are asked about as soon as their shape is known', async () => {
    const shapes: unknown[] = [];
    const read = (text: string): Promise<XmcBatch[]> =>
      allOf(parseXmcRows([bytesOf(text)], { onShape: (shape) => shapes.push(shape) }));
    expect((await read('2 3 4\n0 1:1 2:1.0\n3 0:1'))[0]!.inputs.values).toBeUndefined();
    expect((await read('2 3 4\n0 1:1 2:1\n3 0:2'))[0]!.inputs.values).toEqual(Float64Array.of(1, 1, 2));
    expect(shapes).toEqual([
      { features: 3, labels: 4 },
      { features: 3, labels: 4 },
    ]);
    const refused = parseXmcRows([bytesOf('9 3 4\nno point')], {
      onShape: () => {
        throw new Error('too large');
      },
    });
    await expect(allOf(refused)).rejects.toThrow('too large');
  });

  it('of a file without points are none', async () => {
    expect(await allOf(parseXmcRows([bytesOf('0 3 4\n')]))).toEqual([]);
  });
});
