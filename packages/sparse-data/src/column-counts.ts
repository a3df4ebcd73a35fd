import type { CsrRows } from './csr-rows.ts';

/** In how many entries each column stands: how often each class or feature occurs. O(entries + columns). */
export function columnCounts(csr: CsrRows): Float64Array {
  const counts = new Float64Array(csr.columns);
  const entries = csr.offsets[csr.rows] ?? 0;
  for (let entry = 0; entry < entries; entry++) counts[csr.indices[entry]!]!++;
  return counts;
}
