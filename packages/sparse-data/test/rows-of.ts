import type { CsrRows } from '../src/csr/csr-rows.ts';

/** Rows as lists of [index, value]. */
export function rowsOf({ rows, offsets, indices, values }: CsrRows): [number, number][][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: offsets[row + 1]! - offsets[row]! }, (__, i) => {
      const entry = offsets[row]! + i;
      return [indices[entry]!, values === undefined ? 1 : values[entry]!];
    }),
  );
}

/** The indices alone. */
export function listsOf(csr: CsrRows): number[][] {
  return rowsOf(csr).map((row) => row.map(([index]) => index));
}
