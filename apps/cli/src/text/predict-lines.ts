/** The next words for each prompt of a JSON Lines file, as JSON Lines. Only one batch of prompts is in memory. */
import type { TextModel, TextReading } from '@vastmax/lm-models/text';
import { SparseDataError } from '@vastmax/sparse-data';
import { readJsonLines } from '@vastmax/sparse-data/node';
import { writeResults } from '../terminal/standard-output.ts';
import { count, Progress } from '../terminal/terminal.ts';

export interface PredictionOptions {
  /** How many words for each prompt. */
  readonly top: number;
  /** Only words with a score of at least this. */
  readonly threshold?: number;
  /** Number of prompts per batch. */
  readonly batch: number;
  readonly signal: AbortSignal;
}

/** A line of the file, with the words of its prompt. */
interface Prompt {
  readonly fields: object;
  readonly words: readonly string[];
}

/**
 * Each line is a prompt: a string, or an object whose `prompt` is a text or an array of words. The result is the object
 * with `next` added, in the same order. O(vocabulary · width) a prompt.
 * @param path `-` for standard input.
 * @throws SparseDataError `bad-json` with file and line.
 */
export async function predictLines(
  model: TextModel,
  reading: TextReading,
  path: string,
  options: PredictionOptions,
): Promise<void> {
  const { top, threshold, batch, signal } = options;
  // On a terminal the results would overwrite the progress bar, so there is none.
  using progress = process.stdout.isTTY ? undefined : new Progress('predicting');
  let done = 0;
  let prompts: Prompt[] = [];
  const flush = async (): Promise<boolean> => {
    const lists = await model.predictNextWords(
      prompts.map(({ words }) => words),
      {
        k: top,
        paddingWord: reading.settings.endOfLine,
        ...(threshold === undefined ? {} : { minScore: threshold }),
      },
    );
    const text = prompts.map(({ fields }, place) => `${JSON.stringify({ ...fields, next: lists[place] })}\n`).join('');
    done += prompts.length;
    prompts = [];
    return writeResults(text);
  };
  const name = path === '-' ? 'standard input' : path;
  const lines = readJsonLines(path, {
    signal,
    onProgress: (read, total) => {
      progress?.update(read / total, [`${count(done)} prompts`]);
    },
  });
  try {
    for await (const { line, value } of lines) {
      prompts.push(promptOf(value, `${name}: line ${line}`, reading));
      if (prompts.length === batch && !(await flush())) return;
    }
  } finally {
    // The prompts before an invalid line are predicted too.
    if (prompts.length > 0) await flush();
  }
}

function promptOf(value: unknown, where: string, { tokenize }: TextReading): Prompt {
  const fields = typeof value === 'string' ? { prompt: value } : value;
  const prompt = typeof fields === 'object' && fields !== null && 'prompt' in fields ? fields.prompt : undefined;
  if (typeof fields === 'object' && fields !== null) {
    if (typeof prompt === 'string') return { fields, words: [...tokenize(prompt)] };
    if (Array.isArray(prompt) && prompt.every((word) => typeof word === 'string')) return { fields, words: prompt };
  }
  const shown = JSON.stringify(value);
  throw new SparseDataError(
    'bad-json',
    `predict: ${where}: ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown} is no prompt; a string is needed, or an object whose "prompt" is a string or an array of words`,
  );
}
