import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BytePackedIntegers } from '../../src/text/token-stream.ts';

function packed(values: Iterable<number>): Int32Array {
  const list = new BytePackedIntegers();
  for (const value of values) list.push(value);
  return list.toInt32Array();
}

describe('BytePackedIntegers', () => {
  it('gives back what was pushed', () => {
    const value = fc.oneof(
      fc.nat(300),
      fc.nat(2 ** 31 - 1),
      fc.constantFrom(127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1),
    );
    fc.assert(
      fc.property(fc.array(value), (values) => {
        expect([...packed(values)]).toEqual(values);
      }),
    );
  });

  it('crosses blocks', () => {
    const values = Int32Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 2 ** (7 + (at % 24)));
    const unpacked = packed(values);
    expect(unpacked.length).toBe(values.length);
    expect(unpacked.findIndex((value, at) => value !== values[at])).toBe(-1);
  });
});
