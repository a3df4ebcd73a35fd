import { isPipe, isStandardInput, openBytes } from '@vastmax/sparse-data/node';
import type { Word2vecFormat } from './write-word2vec.ts';

/** Of a number in decimal, as programs write it. */
const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$|^[-+]?(?:nan|inf|infinity)$/i;

/**
 * Which of the two formats of word2vec a file has, by its first bytes: both begin with a line `WORDS WIDTH`, and in the
 * text numbers in decimal follow the first word. A file without that line, as GloVe writes it, is text. Where the first
 * 512 bytes do not show it, and for standard input and pipes, which could not be read again, the extension does.
 * @throws SparseDataError as openBytes
 */
export async function detectWord2vecFormat(path: string): Promise<Word2vecFormat> {
  const byName = /\.bin(?:\.gz|\.br)?$/i.test(path) ? 'binary' : 'text';
  if (isStandardInput(path) || (await isPipe(path))) return byName;
  const file = await openBytes(path);
  file.close();
  if (file.fileBytes === Infinity) return byName;
  const [header = '', first = '', rest] = String.fromCharCode(...file.head).split('\n', 3);
  if (!/^\d{1,15} \d{1,15}\r?$/.test(header)) return header === '' ? byName : 'text';
  const width = Number(header.split(' ')[1]);
  const isWhole = rest !== undefined;
  const fields = first.trimEnd().split(' ');
  // A word may have spaces in it, so the numbers are counted from the end where there is one.
  const numbers = isWhole ? fields.slice(-Math.min(width, fields.length - 1)) : fields.slice(1, -1).slice(-3);
  if (numbers.length === 0 || fields.length < 2) return byName;
  return numbers.every((number) => NUMBER.test(number)) ? 'text' : 'binary';
}
