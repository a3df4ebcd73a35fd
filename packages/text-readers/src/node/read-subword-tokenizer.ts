import { readFile } from 'node:fs/promises';
import { SparseDataError } from '@vastmax/sparse-data';
import type { SubwordTokenizer, SubwordTokenizerOptions } from '../subword-tokenizer.ts';
import { createSubwordTokenizer } from '../subword-tokenizer.ts';
import { fileError } from './file-error.ts';

/**
 * createSubwordTokenizer over a tokenizer.json.
 * @throws SparseDataError `missing-file`, `not-a-file`, `unreadable-file`, `bad-json`, `bad-tokenizer`
 */
export async function readSubwordTokenizer(
  path: string,
  options: Omit<SubwordTokenizerOptions, 'name'> = {},
): Promise<SubwordTokenizer> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError('readSubwordTokenizer', path, error);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SparseDataError(
      'bad-json',
      `readSubwordTokenizer: ${path} (${text.length} characters) is not JSON (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    );
  }
  return createSubwordTokenizer(json, { ...options, name: path });
}
