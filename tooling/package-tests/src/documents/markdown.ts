// Parses the parts of a Markdown text that refer to the repository: code spans, code blocks, links, and the anchors of
// links. A small parser is enough, because the documents here use a small part of Markdown: fenced and indented blocks,
// `spans`, [text](target), # headings.

interface Place {
  /** From 1. */
  readonly line: number;
}

interface CodeSpan extends Place {
  readonly text: string;
}

export interface CodeBlock extends Place {
  /** `ts`, `sh`, …; empty for an indented block. */
  readonly language: string;
  readonly text: string;
}

interface Link extends Place {
  readonly target: string;
}

export interface MarkdownParts {
  readonly spans: readonly CodeSpan[];
  readonly blocks: readonly CodeBlock[];
  readonly links: readonly Link[];
  /** Text of each heading, without the # signs. */
  readonly headings: readonly string[];
  /** The lines outside code blocks, with their code spans. */
  readonly prose: readonly CodeSpan[];
}

export function parseMarkdown(markdown: string): MarkdownParts {
  const spans: CodeSpan[] = [];
  const blocks: CodeBlock[] = [];
  const links: Link[] = [];
  const headings: string[] = [];
  const prose: CodeSpan[] = [];
  const lines = markdown.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const fence = /^\s*(```+)\s*(\w*)/.exec(line);
    if (fence !== null) {
      const end = lines.findIndex((other, j) => j > i && other.trim() === fence[1]);
      const last = end < 0 ? lines.length : end;
      blocks.push({ line: i + 2, language: fence[2] ?? '', text: lines.slice(i + 1, last).join('\n') });
      i = last;
      continue;
    }
    if (/^ {4}/.test(line) && isOutsideList(lines, i)) {
      blocks.push({ line: i + 1, language: '', text: line });
      continue;
    }
    const heading = /^#+\s+(.*?)\s*#*$/.exec(line);
    if (heading?.[1] !== undefined) headings.push(heading[1]);
    prose.push({ line: i + 1, text: line });
    // In a table, | inside a code span is written \|.
    for (const [, , text = ''] of line.matchAll(/(`+)(.+?)\1(?!`)/g))
      spans.push({ line: i + 1, text: text.replaceAll('\\|', '|').trim() });
    for (const [, target = ''] of line.replace(/(`+).+?\1(?!`)/g, '``').matchAll(/\]\(([^()\s]+)\)/g))
      links.push({ line: i + 1, target });
  }
  return { spans, blocks, links, headings, prose };
}

/** Four spaces may also continue a list item. */
function isOutsideList(lines: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const line = lines[i] ?? '';
    if (/^\s*$/.test(line) || /^ {4}/.test(line)) continue;
    return !/^\s*(?:[-*]|\d+\.)\s/.test(line);
  }
  return true;
}

/**
 * The anchors that GitHub gives the headings: lower case, no punctuation, spaces as hyphens, repeated ones numbered.
 */
export function anchorsOf(headings: readonly string[]): Set<string> {
  const counts = new Map<string, number>();
  return new Set(
    headings.map((heading) => {
      const base = heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-');
      const count = counts.get(base) ?? 0;
      counts.set(base, count + 1);
      return count === 0 ? base : `${base}-${count}`;
    }),
  );
}
