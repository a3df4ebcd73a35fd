import { CheckpointError, parseJson, type Checkpoint, type Fail } from '@vastmax/checkpoints';
import { isSparseDataError, vocabularyFromJSON } from '@vastmax/sparse-data';
import type { Vocabulary } from '@vastmax/sparse-data';

/**
 * The vocabulary that a checkpoint holds as the text of `JSON.stringify(vocabulary)`. O(characters).
 * @param name of the text.
 * @throws CheckpointError `unknown-name` when there is no such text, `bad-json` when it is no vocabulary, with folder,
 * name and reason.
 */
export function readVocabulary(checkpoint: Checkpoint, name = 'vocabulary.json'): Vocabulary {
  const text = checkpoint.text(name);
  const fail: Fail = (problem, cause) => {
    throw new CheckpointError(
      'bad-json',
      `checkpoint: ${checkpoint.location}: ${name} (${text.length} characters) ${problem}`,
      { cause },
    );
  };
  const value = parseJson(text, { depth: 2, values: Infinity }, fail);
  try {
    return vocabularyFromJSON(value);
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    return fail(`is no vocabulary: ${error.message}`, error);
  }
}
