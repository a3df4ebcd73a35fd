/**
 * A Markdown table with its columns padded, to be read in a terminal and put into docs/ as it is. Numbers and their kin
 * go right.
 */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const isNumeric = header.map((_, column) => rows.every((row) => /^[-\d.,e]*$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (isNumeric[column] ? (cells[column] ?? '').padStart(width) : (cells[column] ?? '').padEnd(width))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (isNumeric[column] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}
