import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSha256 } from '../src/sha256.ts';

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it("is Node's SHA-256, at every length up to four chunks", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => (at * 7919) >> 3);
  for (let length = 0; length <= bytes.length; length++) {
    const hash = createSha256();
    hash.update(bytes.subarray(0, length));
    expect(hash.digest()).toBe(expected(bytes.subarray(0, length)));
  }
});

it('does not depend on how the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (pieces) => {
      const hash = createSha256();
      for (const piece of pieces) hash.update(piece);
      expect(hash.digest()).toBe(expected(Buffer.concat(pieces)));
    }),
    { numRuns: 300 },
  );
});
