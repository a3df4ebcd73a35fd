/** The formats of labelled data, and how a file's name and first line tell which it is. */

/** Formats whose features are made from texts. */
export const textFormatNames = ['fasttext', 'csv', 'tsv', 'jsonl'] as const;
/** The formats whose examples are texts. */
export type TextFormat = (typeof textFormatNames)[number];
/** `xmc` has given features. */
export type LabelFormat = 'xmc' | TextFormat;
/** The names of the formats of labelled examples. */
export const labelFormatNames: readonly LabelFormat[] = ['xmc', ...textFormatNames];

const extensions: Readonly<Record<string, LabelFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
};

/**
 * The format of a file: by its extension, without that of a compression; else by its first line, which in XMC is three
 * whole numbers, in JSON Lines an object, and in fastText has a word that begins with the prefix.
 * @returns undefined where neither tells.
 */
export function detectLabelFormat(path: string, firstLine: string, labelPrefix: string): LabelFormat | undefined {
  const extension = /\.([a-z]+)(?:\.(?:gz|br|zst))?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  if (Object.hasOwn(extensions, extension)) return extensions[extension];
  const line = firstLine.replace(/^\ufeff/, '');
  if (/^\s*\d+\s+\d+\s+\d+\s*$/.test(line)) return 'xmc';
  if (labelPrefix !== '' && line.split(/\s+/).some((word) => word.startsWith(labelPrefix))) return 'fasttext';
  return /^\s*\{.*"/.test(line) ? 'jsonl' : undefined;
}
