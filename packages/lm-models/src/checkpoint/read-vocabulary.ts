import { isSparseDataError, vocabularyFromJSON } from '@vastmax/sparse-data';
import type { Vocabulary } from '@vastmax/sparse-data';
import { CheckpointError } from './checkpoint-error.ts';
import type { Checkpoint } from './checkpoint.ts';
import { findJsonProblem } from './json-limits.ts';

/**
 * The vocabulary that a checkpoint holds as the text of `JSON.stringify(vocabulary)`. O(characters).
 * @param name of the text.
 * @throws CheckpointError `unknown-name` when there is no such text, `bad-json` when it is no vocabulary, with folder,
 * name and reason.
 */
export function readVocabulary(checkpoint: Checkpoint, name = 'vocabulary.json'): Vocabulary {
  const text = checkpoint.text(name);
  const fail = (problem: string, cause?: unknown): never => {
    throw new CheckpointError(
      'bad-json',
      `checkpoint: ${checkpoint.directory}: ${name} (${text.length} characters) ${problem}`,
      { cause },
    );
  };
  const problem = findJsonProblem(text, { depth: 2, values: Infinity });
  if (problem !== undefined) return fail(problem);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail('is not JSON', error);
  }
  try {
    return vocabularyFromJSON(value);
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return fail(`is no vocabulary: ${error.message}`, error);
  }
}
