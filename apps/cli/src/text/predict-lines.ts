/** The next words for each prompt of a JSON Lines file, as JSON Lines. Only one batch of prompts is in memory. */
import type { TextModel, TextReading } from '@vastmax/lm-models/text';
import { SparseDataError } from '@vastmax/sparse-data';
import { readJsonLines } from '@vastmax/sparse-data/node';
import { freezeWhenItPays } from '../run/freeze-when-it-pays.ts';
import { writeResults } from '../terminal/standard-output.ts';
import { count, Progress } from '../terminal/terminal.ts';
import type { JsonLine } from '@vastmax/sparse-data/records';

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
  /** The JSON of an object, as the file has it. */
  readonly text: string;
  readonly words: readonly string[];
}

/**
 * Each line is a prompt: a string, or an object whose `prompt` is a text or an array of words. The result is the object
 * byte for byte, with `next` added at its end, in the same order: numbers that JavaScript cannot hold, equal keys and
 * spaces stay as they are. O(vocabulary · width) a prompt at most; the model is frozen on the way.
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
    await freezeWhenItPays(model.network, done);
    const lists = await model.predictNextWords(
      prompts.map(({ words }) => words),
      {
        k: top,
        paddingWord: reading.settings.endOfLine,
        ...(threshold === undefined ? {} : { minScore: threshold }),
      },
    );
    const text = prompts
      .map(({ text: object }, place) => {
        const end = object.lastIndexOf('}');
        return `${object.slice(0, end)},"next":${JSON.stringify(lists[place])}${object.slice(end)}\n`;
      })
      .join('');
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
    for await (const line of lines) {
      prompts.push(promptOf(line, name, reading));
      if (prompts.length === batch && !(await flush())) return;
    }
  } finally {
    // The prompts before an invalid line are predicted too.
    if (prompts.length > 0) await flush();
  }
}

function promptOf({ line, text, value }: JsonLine, name: string, { tokenize }: TextReading): Prompt {
  if (typeof value === 'string') return { text: `{"prompt":${text}}`, words: [...tokenize(value)] };
  const prompt = typeof value === 'object' && value !== null && 'prompt' in value ? value.prompt : undefined;
  if (typeof prompt === 'string') return { text, words: [...tokenize(prompt)] };
  if (Array.isArray(prompt) && prompt.every((word) => typeof word === 'string')) return { text, words: prompt };
  throw new SparseDataError(
    'bad-json',
    `predict: ${name}: line ${line}: ${text.length > 60 ? `${text.slice(0, 60)}…` : text} is no prompt; a string is needed, or an object whose "prompt" is a string or an array of words`,
  );
}
