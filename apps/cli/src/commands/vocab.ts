import type { Command } from 'commander';
import type { Vocabulary } from '@vastmax/sparse-data';
import { wholeNumber } from '../options/option-values.ts';
import { addTextOptions, type TextOptions, textReadingOf } from '../options/text-options.ts';
import { checkOutputFile, writeTextFile } from '../terminal/output-file.ts';
import { Interruption } from '../terminal/interruption.ts';
import { ignoreBrokenPipe, writeResults } from '../terminal/standard-output.ts';
import { count, warn } from '../terminal/terminal.ts';
import { countWords, TextSource } from '../text/corpus.ts';

interface VocabOptions extends TextOptions {
  readonly output?: string;
  readonly overwrite?: true;
  readonly minCount: number;
  readonly maxVocabulary?: number;
}

export function addVocabCommand(program: Command): void {
  const command = program
    .command('vocab')
    .description('count the words of a text')
    .argument('<text>', 'a text as train reads it; - is standard input')
    .option('-o, --output <file>', 'the file to write; standard output unless given')
    .option('--overwrite', 'replace the file if it exists');
  addTextOptions(command)
    .option('--min-count <n>', 'leave out words seen less often', wholeNumber('--min-count', 1), 1)
    .option('--max-vocabulary <n>', 'only the n most frequent words', wholeNumber('--max-vocabulary', 2))
    .addHelpText(
      'after',
      `
Example:
  $ vastmax vocab speeches.txt -o vocab.tsv --tokenizer words --lower-case

A line is a word, a tab and its count, the most frequent first. A tab, line
break or backslash within a word is written as \\t, \\n, \\r or \\\\.`,
    )
    .action(countVocabulary);
}

async function countVocabulary(textFile: string, options: VocabOptions): Promise<void> {
  const { output } = options;
  if (output !== undefined) {
    ignoreBrokenPipe();
    await checkOutputFile(output, options.overwrite === true);
  }
  using interruption = new Interruption();
  const { signal } = interruption;
  const reading = await textReadingOf(options);
  await using source = new TextSource(textFile, { column: options.textColumn });
  const counter = await countWords(source, reading, undefined, signal);
  const vocabulary = counter.build({
    minimumCount: options.minCount,
    ...(options.maxVocabulary === undefined ? {} : { maximumSize: options.maxVocabulary }),
  });
  if (!counter.isExact)
    warn(
      `there are too many different words to count all of them exactly: a count may be too low by ${count(counter.errorBound)}`,
    );
  const lines = countedWords(vocabulary);
  if (output === undefined) {
    for (const line of lines) if (!(await writeResults(line))) return;
    return;
  }
  await writeTextFile(output, lines, signal);
  process.stdout.write(`counted      ${count(counter.total)} words, ${count(counter.entries)} different ones\n`);
  process.stdout.write(`saved        ${count(vocabulary.size)} of them in ${output}\n`);
}

const escapes: Readonly<Record<string, string>> = {
  '\t': String.raw`\t`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\\': String.raw`\\`,
};

/** The lines of the file, in blocks. */
function* countedWords({ tokens, counts }: Vocabulary): Generator<string, void, undefined> {
  const linesPerBlock = 1000;
  for (let first = 0; first < tokens.length; first += linesPerBlock) {
    const words = tokens.slice(first, first + linesPerBlock);
    yield words
      .map(
        (word, place) =>
          `${word.replaceAll(/[\t\n\r\\]/g, (mark) => escapes[mark] ?? mark)}\t${counts[first + place] ?? 0}\n`,
      )
      .join('');
  }
}
