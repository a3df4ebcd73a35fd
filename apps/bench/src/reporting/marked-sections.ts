/**
 * A document with sections that a command writes: everything between `<!-- begin NAME -->` and `<!-- end NAME -->` is
 * the command's.
 */
import { BenchError } from '../measurement/bench-error.ts';

/** @throws BenchError `failed` when the document lacks the section. */
export function replaceSection(document: string, name: string, content: string): string {
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const first = document.indexOf(begin);
  const last = document.indexOf(end, first);
  if (first === -1 || last === -1) {
    throw new BenchError(
      'failed',
      `the document has no section '${name}'; put the lines ${begin} and ${end} where it belongs`,
    );
  }
  return `${document.slice(0, first + begin.length)}\n\n${content}\n\n${document.slice(last)}`;
}
