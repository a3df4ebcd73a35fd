// Citations of docs/mathematics.md by section, `mathematics.md §3b`, in comments and documents.

/** The sections of the page: `1`, `3b`, from headings such as `3b. The row form`. */
export function sectionsOf(headings: readonly string[]): Set<string> {
  return new Set(headings.flatMap((heading) => /^(\d+[a-z]?)\. /.exec(heading)?.[1] ?? []));
}

/** Each cited section with its line, from 1. A line break of a comment is allowed between the page and the section. */
export function findCitations(text: string): { readonly section: string; readonly line: number }[] {
  return [...text.matchAll(/mathematics\.md[\s*/]*§\s*(\d+[a-z]?)/g)].map((match) => ({
    section: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }));
}
