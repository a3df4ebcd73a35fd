// A 32-bit mixing step: the finaliser of MurmurHash3 (Austin Appleby, public domain). It is a bijection of the 32-bit
// integers that maps only 0 to 0; seeds are spread with it as SplitMix does (Steele, Lea, Flood, OOPSLA 2014).

const GOLDEN_GAMMA = 0x9e3779b9;

export function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) | 0;
}

/** The index-th 32-bit word that belongs to a seed in [0, 2^53). At most one of a seed's words is 0. */
export function seedWord(seed: number, index: number): number {
  const high = Math.floor(seed / 2 ** 32);
  return mix32(mix32((seed | 0) + Math.imul(index + 1, GOLDEN_GAMMA)) + high);
}
