import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findInvalidUtf8 } from '../../src/node/read-lines.ts';

// Bytes at which the rules change, so that random sequences meet every one of them.
const edge = fc.constantFrom(
  0x41,
  0x7f,
  0x80,
  0x8f,
  0x90,
  0x9f,
  0xa0,
  0xbf,
  0xc0,
  0xc1,
  0xc2,
  0xdf,
  0xe0,
  0xe1,
  0xed,
  0xee,
  0xef,
  0xf0,
  0xf1,
  0xf3,
  0xf4,
  0xf5,
  0xff,
);

describe('findInvalidUtf8', () => {
  it('agrees with Node on what is valid, and what precedes its answer is', () => {
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 8 }), (list) => {
        const bytes = Uint8Array.from(list);
        const at = findInvalidUtf8(bytes);
        expect(at === -1).toBe(isUtf8(bytes));
        if (at !== -1) expect(isUtf8(bytes.subarray(0, at))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it('accepts any text and looks only where told', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(findInvalidUtf8(new TextEncoder().encode(text))).toBe(-1);
      }),
    );
    const bytes = Uint8Array.of(0xff, 0x41, 0xc3, 0xa9, 0xff);
    expect([
      findInvalidUtf8(bytes),
      findInvalidUtf8(bytes, 1),
      findInvalidUtf8(bytes, 1, 4),
      findInvalidUtf8(bytes, 1, 3),
    ]).toEqual([0, 4, -1, 2]);
  });
});
