import type { Command } from 'commander';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { TextReading } from '@vastmax/lm-models/text';
import { partsOfLine } from '@vastmax/sparse-data';
import { addTextOptions, type TextOptions, textReadingOf } from '../options/text-options.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { writeResults } from '../terminal/standard-output.ts';
import { TextSource } from '../text/corpus.ts';
import { openText } from '../text/open-model.ts';

interface TokenizeOptions extends TextOptions {
  readonly model?: string;
  readonly json?: true;
}

const charactersPerBlock = 2 ** 16;

export function addTokenizeCommand(program: Command): void {
  const command = program
    .command('tokenize')
    .description('print the words of a text, a line for each of its lines')
    .argument('<text>', 'a text as train reads it; - is standard input')
    .option('--model <folder>', 'as the text of this model was read, instead of by the options below')
    .option('--json', 'print each line as a JSON array, for words with white space in them');
  addTextOptions(command)
    .addHelpText(
      'after',
      `
Example:
  $ vastmax tokenize speeches.txt --tokenizer segmenter --letter-case lower

Words are separated by a space. What comes out can be trained on with
--tokenizer whitespace.`,
    )
    .action(tokenize);
}

async function tokenize(textFile: string, options: TokenizeOptions, command: Command): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const reading = await readingOf(options, command);
  await using source = new TextSource(textFile, { column: options.textColumn });
  const [open, separator, close] = options.json === true ? ['[', ',', ']\n'] : ['', ' ', '\n'];
  let block = '';
  const flush = (): Promise<boolean> => {
    const text = block;
    block = '';
    return writeResults(text);
  };
  // What was read comes out before the command waits for more.
  let flushed = Promise.resolve(true);
  const onProgress = (): void => {
    flushed = flush();
  };
  /** How many words of the current line were found so far: a long line comes in parts. */
  let found = 0;
  for await (const line of source.lines({ signal, onProgress })) {
    const isEnd = typeof line === 'string';
    for (const part of partsOfLine(isEnd ? line : line.part)) {
      for (const word of reading.tokenize(part))
        block += `${found++ === 0 ? open : separator}${options.json === true ? JSON.stringify(word) : word}`;
    }
    if (isEnd) {
      block += `${found === 0 ? open : ''}${close}`;
      found = 0;
    }
    if (block.length >= charactersPerBlock) flushed = flush();
    if (!(await flushed)) return;
  }
  await flush();
}

async function readingOf(options: TokenizeOptions, command: Command): Promise<TextReading> {
  if (options.model === undefined) return textReadingOf(options);
  const given = command.options.filter(
    (option) =>
      ['tokenizer', 'letterCase', 'lowerCase', 'locale'].includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (given.length > 0)
    throw new UsageError(
      `${given.map(({ long }) => long).join(' and ')} would change how the text of ${options.model} was read; leave it out, or leave --model out`,
    );
  await using checkpoint = await openCheckpoint(createFileStorage(options.model));
  return openText(checkpoint).text;
}
