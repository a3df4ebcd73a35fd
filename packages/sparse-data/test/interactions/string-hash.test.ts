import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashString } from '../../src/interactions/split-interactions.ts';

/** Any code unit, half of a surrogate pair included. */
const codeUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
const MASK = 0xffffffffn;
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & MASK;

/** The naive twin: MurmurHash3_x86_32 in exact integers, with a code unit where the original takes four bytes. */
function naiveHash(text: string, seed: number): number {
  let hash = BigInt.asUintN(32, BigInt(seed));
  for (const unit of text.split('')) {
    const block = (rotate((BigInt(unit.charCodeAt(0)) * 0xcc9e2d51n) & MASK, 15n) * 0x1b873593n) & MASK;
    hash = (rotate(hash ^ block, 13n) * 5n + 0xe6546b64n) & MASK;
  }
  hash ^= BigInt(text.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & MASK;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & MASK;
  return Number(hash ^ (hash >> 16n));
}

describe('hashString', () => {
  it('equals the naive twin', () => {
    fc.assert(
      fc.property(fc.string({ unit: codeUnit, maxLength: 20 }), fc.integer(), (text, seed) => {
        expect(hashString(text, seed)).toBe(naiveHash(text, seed));
      }),
    );
  });

  it('equals the original on empty text', () => {
    // MurmurHash3_x86_32 of no bytes: seeds 0, 1 and 0xffffffff.
    expect([0, 1, -1].map((seed) => hashString('', seed))).toEqual([0, 0x514e28b7, 0x81f16f39]);
  });
});
