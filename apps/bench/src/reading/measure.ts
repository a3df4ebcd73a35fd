/**
 * `bench reading`: how fast files of each format are read, beside a plain pass over their bytes, which looks for line
 * ends. All are in the page cache; processor seconds of this process, so that other processes matter little.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTokens, RandomGenerator } from '@vastmax/sparse-data';
import {
  readCsv,
  readJsonLines,
  readLabelledTexts,
  readLineBlocks,
  readText,
  readXmc,
  readXmcRows,
} from '@vastmax/sparse-data/node';
import { peakResidentBytes } from '../measurement/memory-use.ts';
import { scaleSpread, spreadOf, type Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';

export interface ReadingOptions {
  /** Size of each file, in 10^6 bytes. */
  readonly megabytes: number;
  readonly rounds: number;
}

interface ReadingRow {
  readonly what: string;
  /** 10^6 bytes a second of processor time. */
  readonly megabytesPerSecond: Spread;
  /** How many times as long as the pass over the same bytes, by the medians. */
  readonly timesPass: number;
}

export interface ReadingReport {
  readonly bench: 'reading';
  readonly machine: Machine;
  readonly megabytes: number;
  readonly rounds: number;
  readonly rows: readonly ReadingRow[];
  readonly peakMemoryBytes: number;
}

interface Reader {
  readonly what: string;
  readonly file: keyof typeof lineMakers;
  readonly read: (path: string) => Promise<unknown>;
}

async function drain(source: AsyncIterable<unknown>): Promise<number> {
  let items = 0;
  for await (const item of source) if (item !== undefined) items++;
  return items;
}

const readers: readonly Reader[] = [
  { what: 'XMC, rows', file: 'train.xmc', read: (path) => drain(readXmcRows(path)) },
  { what: 'XMC, rows, all values 1', file: 'ones.xmc', read: (path) => drain(readXmcRows(path)) },
  { what: 'XMC, an object a point', file: 'train.xmc', read: (path) => drain(readXmc(path)) },
  { what: 'fastText', file: 'train.ft', read: (path) => readLabelledTexts(path, { format: 'fasttext' }) },
  { what: 'CSV', file: 'train.csv', read: (path) => drain(readCsv(path, { columns: ['text', 'label'] })) },
  { what: 'TSV', file: 'train.tsv', read: (path) => drain(readCsv(path, { columns: ['text', 'label'] })) },
  { what: 'JSON Lines', file: 'train.jsonl', read: (path) => drain(readJsonLines(path)) },
  { what: 'words, counted', file: 'words.txt', read: (path) => countTokens(readText(path)) },
];

const features = 50_000;
const labels = 200_000;
const entries = 20;

/** The lines of each file, of the sizes of a data set of documents. */
const lineMakers = {
  'train.xmc': (random) => pointLine(random, () => random.uniform().toFixed(6)),
  'ones.xmc': (random) => pointLine(random, () => '1'),
  'train.ft': (random) => `__label__${random.integer(labels)} ${words(random)}`,
  'train.csv': (random) => `"${words(random)}",${random.integer(labels)}`,
  'train.tsv': (random) => `${words(random)}\t${random.integer(labels)}`,
  'train.jsonl': (random) => JSON.stringify({ text: words(random), label: random.integer(labels) }),
  'words.txt': (random) => words(random),
} as const satisfies Readonly<Record<string, (random: RandomGenerator) => string>>;

const headers: Readonly<Record<string, string>> = { 'train.csv': 'text,label', 'train.tsv': 'text\tlabel' };

function pointLine(random: RandomGenerator, value: () => string): string {
  const pairs = Array.from({ length: entries }, () => `${random.integer(features)}:${value()}`);
  return `${random.integer(labels)} ${pairs.join(' ')}`;
}

/** By Zipf's law. */
function words(random: RandomGenerator): string {
  return Array.from({ length: entries }, () => `word${Math.floor(features ** random.uniform())}`).join(' ');
}

/** A block of lines, again and again: what a reader does depends on a line, not on where it was before. */
async function writeFile(path: string, file: keyof typeof lineMakers, bytes: number): Promise<void> {
  const random = new RandomGenerator(1);
  const lines = Array.from({ length: 10_000 }, () => lineMakers[file](random));
  const block = Buffer.from(`${lines.join('\n')}\n`);
  const blocks = Math.max(1, Math.round(bytes / block.length));
  const header = file.endsWith('.xmc') ? `${blocks * lines.length} ${features} ${labels}` : headers[file];
  const handle = await open(path, 'w');
  try {
    if (header !== undefined) await handle.write(`${header}\n`);
    for (let written = 0; written < blocks; written++) await handle.write(block);
  } finally {
    await handle.close();
  }
}

/** Reads the bytes and finds the line ends. */
async function pass(path: string): Promise<number> {
  let lines = 0;
  for await (const block of readLineBlocks(path))
    for (let at = block.indexOf(10); at !== -1; at = block.indexOf(10, at + 1)) lines++;
  return lines;
}

async function processorSeconds(action: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

export async function measureReading({ megabytes, rounds }: ReadingOptions): Promise<ReadingReport> {
  const folder = mkdtempSync(join(tmpdir(), 'vastmax-reading-'));
  try {
    const files = [...new Set(readers.map(({ file }) => file))];
    for (const file of files) await writeFile(join(folder, file), file, megabytes * 1e6);
    const tasks = [...readers, ...files.map((file): Reader => ({ what: `pass ${file}`, file, read: pass }))];
    const seconds = new Map(tasks.map(({ what }) => [what, [] as number[]]));
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const { what, file, read } of tasks) {
        const taken = await processorSeconds(() => read(join(folder, file)));
        if (round > 0) seconds.get(what)?.push(taken);
      }
    }
    const rows = readers.map(({ what, file }): ReadingRow => {
      const size = statSync(join(folder, file)).size / 1e6;
      const taken = seconds.get(what) ?? [];
      return {
        what,
        megabytesPerSecond: scaleSpread(spreadOf(taken.map((each) => 1 / each)), size),
        timesPass: spreadOf(taken).median / spreadOf(seconds.get(`pass ${file}`) ?? []).median,
      };
    });
    return {
      bench: 'reading',
      machine: describeMachine(),
      megabytes,
      rounds,
      rows,
      peakMemoryBytes: peakResidentBytes(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
