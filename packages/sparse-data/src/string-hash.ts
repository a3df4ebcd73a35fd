// MurmurHash3 for 32 bits (Austin Appleby, public domain) over UTF-16 code units, one a step. The same on every
// machine.

import { mix32 } from './integer-hash.ts';

/** A 32-bit hash in [0, 2^32) of a string under a 32-bit seed. */
export function hashString(text: string, seed: number): number {
  let hash = seed | 0;
  for (let at = 0; at < text.length; at++) {
    let unit = Math.imul(text.charCodeAt(at), 0xcc9e2d51);
    unit = (unit << 15) | (unit >>> 17);
    hash ^= Math.imul(unit, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  return mix32(hash ^ text.length) >>> 0;
}
