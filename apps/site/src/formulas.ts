// Typesets the formulas of docs/mathematics.md, which are written as text, in indented blocks: letters become italic,
// `_c` and `^(−p)` indices and exponents, and what stands below each other in the text stands below each other in a table.
// No library: the notation is the text's own, and a page that shows it needs no font and no script.

import type { MarkdownRenderer } from 'vitepress';
import { fileOf, type PageEnvironment } from './links.ts';

const page = 'docs/mathematics.md';

/** A plugin of markdown-it. Indented blocks of other pages are programs and commands, and look like fenced ones. */
export function typesetFormulas(md: MarkdownRenderer): void {
  const isPage = (env: unknown): boolean => fileOf(env as PageEnvironment) === page;
  md.core.ruler.push('indented-blocks', ({ tokens, env }) => {
    for (const token of tokens.filter(({ type }) => type === 'code_block')) {
      if (isPage(env)) Object.assign(token, { type: 'html_block', content: formulaBlock(token.content) });
      else Object.assign(token, { type: 'fence', info: 'txt' });
    }
  });
  const renderText = md.renderer.rules.text;
  md.renderer.rules.text = (tokens, i, options, env, self) => {
    const html = renderText?.(tokens, i, options, env, self) ?? '';
    return isPage(env) ? html.replace(indices, (_, mark: string, index: string) => script(mark, index)) : html;
  };
}

/** An index after a letter, a bracket or ‖; the texts have `snake_case` in code spans only. */
const indices = /(?<=[\p{L}\p{M}′‖\])])([_^])(\{[^}]+\}|\([^()]*\)|[\p{L}\d]+)/gu;
const parts = /(?<=[\p{L}\p{M}′‖\])])[_^](?:\{[^}]+\}|\([^()]*\)|[\p{L}\d]+)|[A-Za-z]+|[α-ωϕ]|[&<>]/gu;
const shortWords = new Set(['RG', 'at', 'by', 'in', 'is', 'of', 'or', 'to', 'tr', 'vec']);
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function script(mark: string, index: string, typeset: (text: string) => string = (text) => text): string {
  const tag = mark === '_' ? 'sub' : 'sup';
  return `<${tag}>${typeset(index.replace(/^[{(](.*)[})]$/, '$1'))}</${tag}>`;
}

/** A line as HTML: `w_c h` has two italic letters and an index, `log x` a word. */
export function formula(text: string): string {
  return text.replace(parts, (part) => {
    const entity = entities[part];
    if (entity !== undefined) return entity;
    if (/^[_^]/.test(part)) return script(part.slice(0, 1), part.slice(1), formula);
    return /[a-z]{3}/.test(part) || shortWords.has(part) ? part : `<i>${part}</i>`;
  });
}

interface Cell {
  readonly start: number;
  readonly text: string;
  /** The next cell goes on with it: it was cut where the line below begins. */
  readonly isCut?: boolean;
}

/** A block as a table: cells are parted by two spaces or more, and columns begin where cells of two lines begin. */
export function formulaBlock(block: string): string {
  const lines = block.replace(/\n+$/, '').split('\n');
  const rows = lines.map((line): Cell[] =>
    [...line.matchAll(/\S+(?: \S+)*/g)].map(({ index, 0: text }) => ({ start: index, text })),
  );
  rows.forEach(([first], i) => {
    if (first === undefined || first.start === 0 || i === 0) return;
    rows[i - 1] = (rows[i - 1] ?? []).flatMap((cell) => cutAbove(cell, first));
  });
  const all = rows.flatMap((row) => row.map(({ start }) => start));
  const columns = [...new Set([0, ...all])].filter(
    (start) => start === 0 || all.indexOf(start) < all.lastIndexOf(start),
  );
  columns.sort((a, b) => a - b);
  return `<div class="formula" v-pre tabindex="0"><table role="presentation"><tbody>${rows.map((row) => tableRow(row, columns)).join('')}</tbody></table></div>\n`;
}

/** Cells that begin at no column follow the one before them. */
function tableRow(row: readonly Cell[], columns: readonly number[]): string {
  const merged: { column: number; html: string; isCut: boolean }[] = [];
  for (const { start, text, isCut = false } of row) {
    const last = merged.at(-1);
    const column = columns.indexOf(start);
    if (last !== undefined && column < 0) {
      last.html += `<span class="gap"></span>${formula(text)}`;
      continue;
    }
    // A line alone may begin further to the right than any other.
    merged.push({
      column: column < 0 ? columns.findLastIndex((other) => other < start) : column,
      html: formula(text),
      isCut,
    });
  }
  const indent = merged[0]?.column ?? 0;
  const cells = merged.map(({ column, html, isCut }, i) => {
    const span = (merged[i + 1]?.column ?? columns.length) - column;
    return `<td${span > 1 ? ` colspan="${span}"` : ''}${isCut ? ' class="cut"' : ''}>${html}</td>`;
  });
  return `<tr>${indent > 0 ? `<td colspan="${indent}"></td>` : ''}${cells.join('')}</tr>`;
}

/** Cuts a cell where the line below begins with the same sign, such as the `=` of a formula that goes on there. */
function cutAbove(cell: Cell, below: Cell): Cell[] {
  const at = below.start - cell.start;
  const isSame = at > 0 && cell.text[at - 1] === ' ' && cell.text[at] === below.text[0];
  if (!isSame) return [cell];
  return [
    { start: cell.start, text: cell.text.slice(0, at - 1), isCut: true },
    { start: below.start, text: cell.text.slice(at) },
  ];
}
