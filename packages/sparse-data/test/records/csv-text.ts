import fc from 'fast-check';

export interface CsvStyle {
  readonly delimiter: string;
  readonly lineEnd: '\n' | '\r\n';
  readonly lastLineEnd: boolean;
  /** Quote every field, or only where RFC 4180 makes it necessary. */
  readonly quoteAll: boolean;
}

export const csvStyle: fc.Arbitrary<CsvStyle> = fc.record({
  delimiter: fc.constantFrom(',', '\t', ';', '|', ' '),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  lastLineEnd: fc.boolean(),
  quoteAll: fc.boolean(),
});

/** Tables of 1 to 4 columns whose fields are rich in what has to be quoted. */
export const csvTable: fc.Arbitrary<string[][]> = fc.integer({ min: 1, max: 4 }).chain((columns) =>
  fc.array(
    fc.array(
      fc.oneof(
        fc.string({
          unit: fc.constantFrom('a', '"', ',', '\t', '\n', '\r', ' ', 'ü', '\u{1f600}', '\ufeff', '\u2028'),
          maxLength: 6,
        }),
        fc.string({ unit: 'grapheme', maxLength: 4 }),
      ),
      { minLength: columns, maxLength: columns },
    ),
    { minLength: 1, maxLength: 5 },
  ),
);

export function writeCsv(table: readonly (readonly string[])[], style: CsvStyle): string {
  const text = table
    .map((fields) => fields.map((field) => writeField(field, fields.length, style)).join(style.delimiter))
    .join(style.lineEnd);
  return text + (style.lastLineEnd ? style.lineEnd : '');
}

function writeField(field: string, columns: number, { delimiter, quoteAll }: CsvStyle): string {
  const isPlain = !/["\r\n\ufeff]/.test(field) && !field.includes(delimiter) && !(field === '' && columns === 1);
  return isPlain && !quoteAll ? field : `"${field.replaceAll('"', '""')}"`;
}

/** A text as lines with their line ends. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}
