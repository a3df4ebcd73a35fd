/** The formats of interactions, and how a file's name and first line tell which it is. */

/** `lines` are `user item item …`. */
export const interactionFormatNames = ['csv', 'tsv', 'jsonl', 'lines'] as const;
/** A format of files of interactions. */
export type InteractionFormat = (typeof interactionFormatNames)[number];

const extensions: Readonly<Record<string, InteractionFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
};

/**
 * The format of a file: by its extension, without that of a compression; else by its first line, which is a table if it
 * has a tab or a comma, and JSON Lines if it begins an object.
 */
export function detectInteractionFormat(path: string, firstLine: string): InteractionFormat {
  const extension = /\.([a-z]+)(?:\.(?:gz|br|zst))?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  if (Object.hasOwn(extensions, extension)) return extensions[extension]!;
  if (/^\ufeff?\s*\{/.test(firstLine)) return 'jsonl';
  if (firstLine.includes('\t')) return 'tsv';
  return firstLine.includes(',') ? 'csv' : 'lines';
}
