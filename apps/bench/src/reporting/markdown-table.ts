/** The formatter of this repository leaves wider tables without padding. */
const maxLineLength = 120;

/**
 * A Markdown table as the formatter writes it, for a terminal and for docs/: columns are padded unless that makes lines
 * too long, and columns of numbers are aligned to the right.
 */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const isPadded = widths.reduce((sum, width) => sum + width + 3, 1) <= maxLineLength;
  const isNumeric = header.map((_, column) => rows.every((row) => /^[-\d.,e]*$/.test(row[column] ?? '')));
  const cell = (text: string, column: number): string => {
    const width = isPadded ? (widths[column] ?? 0) : 0;
    return isNumeric[column] ? text.padStart(width) : text.padEnd(width);
  };
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((_, column) => cell(cells[column] ?? '', column)).join(' | ')} |`;
  const rule = widths.map((width, column) => {
    const length = isPadded ? width : 3;
    return isNumeric[column] ? `${'-'.repeat(length - 1)}:` : '-'.repeat(length);
  });
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}
