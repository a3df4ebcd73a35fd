// Strings of a Parquet file that are exactly what the file holds. hyparquet's own parsers replace bytes that are not
// UTF-8 by U+FFFD and drop a byte order mark, without a word. A parser sees neither row nor column, so it returns an
// object for such bytes, and the row that contains it is refused.

import { SparseDataError } from '@vastmax/sparse-data';

/** Bytes that are not UTF-8, in place of a string. */
class NotUtf8 {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array | undefined): string | NotUtf8 | undefined {
  if (bytes === undefined) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    // A copy: the bytes are a view of a whole page.
    return new NotUtf8(bytes.slice());
  }
}

/**
 * For hyparquet's option `parsers`. JSON stays the text that it is: JSON.parse would round its numbers of more than 53
 * bits.
 */
export const strictStrings: { readonly stringFromBytes: typeof decode; readonly jsonFromBytes: typeof decode } = {
  stringFromBytes: decode,
  jsonFromBytes: decode,
};

/**
 * The values of a row, with the bytes of columns that are not declared as text as a Uint8Array.
 * @throws SparseDataError `not-utf8` for bytes of a text
 */
export function checkStrings(
  values: Readonly<Record<string, unknown>>,
  textColumns: ReadonlySet<string>,
  where: string,
): Readonly<Record<string, unknown>> {
  let checked = values;
  for (const [column, value] of Object.entries(values)) {
    const wrong = findNotUtf8(value);
    if (wrong === undefined) continue;
    if (textColumns.has(column)) throw notUtf8(wrong.bytes, where, column);
    checked = { ...checked, [column]: wrong.bytes };
  }
  return checked;
}

/** In a value, or in the lists and objects that it consists of. */
function findNotUtf8(value: unknown): NotUtf8 | undefined {
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (next instanceof NotUtf8) return next;
    if (typeof next === 'object' && next !== null && !ArrayBuffer.isView(next))
      for (const inner of Object.values(next)) open.push(inner);
  }
  return undefined;
}

export function notUtf8(bytes: Uint8Array, where: string, column: string): SparseDataError {
  const shown = Array.from(bytes.subarray(0, 12), (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
  return new SparseDataError(
    'not-utf8',
    `parseParquet: ${where}: column ${column} is not UTF-8: it has the bytes ${shown}${bytes.length > 12 ? ' …' : ''}; convert it, or read other columns`,
  );
}
