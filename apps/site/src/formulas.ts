// Typesets the formulas of docs/mathematics.md, which are written as text, in indented blocks: letters become italic,
// `_c` and `^(−p)` indices and exponents, and what stands below each other in the text stands below each other in a table.
// No library: the notation is the text's own, and a page that shows it needs no font and no script.

import type { MarkdownRenderer } from 'vitepress';
import { fileOf, type PageEnvironment } from './links.ts';

const page = 'docs/mathematics.md';

/** A plugin of markdown-it. */
export function typesetFormulas(md: MarkdownRenderer): void {
  const isPage = (env: unknown): boolean => fileOf(env as PageEnvironment) === page;
  const renderBlock = md.renderer.rules.code_block;
  md.renderer.rules.code_block = (tokens, i, options, env, self) =>
    isPage(env)
      ? formulaBlock(tokens[i]?.content ?? '')
      : (renderBlock?.(tokens, i, options, env, self) ?? self.renderToken(tokens, i, options));
  const renderText = md.renderer.rules.text;
  md.renderer.rules.text = (tokens, i, options, env, self) => {
    const html = renderText?.(tokens, i, options, env, self) ?? '';
    return isPage(env) ? html.replace(indices, (_, mark: string, index: string) => script(mark, index)) : html;
  };
}

/** An index after a letter, a bracket or ‖; the texts have `snake_case` in code spans only. */
const indices = /(?<=[\p{L}\p{M}′‖\])])([_^])(\{[^}]+\}|\([^()]*\)|[\p{L}\d]+)/gu;
const parts = /(?<=[\p{L}\p{M}′‖\])])[_^](?:\{[^}]+\}|\([^()]*\)|[\p{L}\d]+)|[A-Za-z]+|[α-ωϕ]|[&<>]/gu;
const shortWords = new Set(['at', 'by', 'in', 'is', 'of', 'or', 'to', 'tr', 'vec']);
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

/** A block as a table: cells are parted by two spaces or more, and columns begin where cells begin in the text. */
export function formulaBlock(block: string): string {
  const lines = block.replace(/\n+$/, '').split('\n');
  const rows = lines.map((line): Cell[] =>
    [...line.matchAll(/\S+(?: \S+)*/g)].map(({ index, 0: text }) => ({ start: index, text })),
  );
  rows.forEach(([first], i) => {
    if (first === undefined || first.start === 0 || i === 0) return;
    rows[i - 1] = (rows[i - 1] ?? []).flatMap((cell) => cutAbove(cell, first));
  });
  const starts = [...new Set(rows.flatMap((row) => row.map(({ start }) => start)))].sort((a, b) => a - b);
  const html = rows.map((row) => {
    const [first] = row;
    const indent = starts.indexOf(first?.start ?? 0);
    const cells = row.map(({ start, text, isCut }, i) => {
      const span = starts.indexOf(row[i + 1]?.start ?? Infinity);
      const columns = (span < 0 ? starts.length : span) - starts.indexOf(start);
      return `<td${columns > 1 ? ` colspan="${columns}"` : ''}${isCut === true ? ' class="cut"' : ''}>${formula(text)}</td>`;
    });
    return `<tr>${indent > 0 ? `<td colspan="${indent}"></td>` : ''}${cells.join('')}</tr>`;
  });
  return `<div class="formula" v-pre tabindex="0"><table role="presentation"><tbody>${html.join('')}</tbody></table></div>\n`;
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
