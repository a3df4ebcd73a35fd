/** Opens a damaged file as the library and the command do, and makes one small call with what comes out. */
import { writeFileSync } from 'node:fs';
import { openCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createPlainBackend } from '@vastmax/linalg-core';
import { loadNetwork, topClasses, Trainer, trainingOptionsFrom } from '@vastmax/lm-models';
import { savedModule } from '@vastmax/lm-models/distributed';
import { isClassifier, loadClassifier } from '@vastmax/lm-models/labels';
import { readWordPairs } from '@vastmax/lm-models/metrics';
import { readWord2vecBinary, readWord2vecText } from '@vastmax/lm-models/node';
import { loadTextModel, loadTextReading } from '@vastmax/lm-models/text';
import { csrFromLists, isSparseDataError } from '@vastmax/sparse-data';
import { readInteractions, readJsonLines, readLines, readXmcRows } from '@vastmax/sparse-data/node';
import { createSubwordTokenizer } from '@vastmax/text-readers';
import { readParquet, readSubwordTokenizer } from '@vastmax/text-readers/node';
import { Command } from 'commander';
import type { DamagedCheckpoint, DamagedFile } from './damage.ts';
import { memorySource } from './memory-source.ts';
import { seedTokens } from './seed-checkpoints.ts';
import type { SeedKind } from './seed-texts.ts';

/** The command's own modules, which it does not export: its reader of --config. */
interface CommandParts {
  addTrainCommand(program: Command): void;
  applyConfig(command: Command, file: string): void;
}

async function importCommandParts(): Promise<CommandParts> {
  const files = ['commands/train.ts', 'options/config-file.ts'];
  const modules = files.map((file) => import(new URL(`../../../cli/src/${file}`, import.meta.url).href));
  return Object.assign({}, ...((await Promise.all(modules)) as object[])) as CommandParts;
}

let commandParts: Promise<CommandParts> | undefined;

/** @param path of a file that is written for readers of files. Throws what opening throws. */
export async function openDamaged(damaged: DamagedFile | DamagedCheckpoint, path: string): Promise<void> {
  if (damaged.kind === 'checkpoint') {
    await using checkpoint = await openCheckpoint(memorySource(damaged.files));
    await useCheckpoint(checkpoint);
    return;
  }
  const file = `${path}${damaged.extension}`;
  writeFileSync(file, damaged.bytes);
  await readers[damaged.kind](file);
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) if (item === undefined) throw new Error('a reader gave nothing');
}

const readers: Readonly<Record<SeedKind, (path: string) => Promise<void>>> = {
  parquet: (path) => drain(readParquet(path)),
  tokenizer: async (path) => {
    const tokenizer = await readSubwordTokenizer(path);
    const tokens = [...tokenizer.tokenize('the  word, worded un-affable 12 words aaaaaaaaaaaaaaaaaaaaaaaaaaaaab')];
    try {
      tokenizer.detokenize(tokens);
    } catch (error) {
      // Of a unigram model, whose unknown tokens are the text itself.
      if (!isSparseDataError(error) || error.code !== 'unknown-token') throw error;
    }
  },
  text: (path) => drain(readLines(path)),
  'json-lines': (path) => drain(readJsonLines(path)),
  csv: (path) => drain(readInteractions(path, { columns: { user: 'user', item: 'item', time: 'time' } })),
  labels: (path) => drain(readXmcRows(path)),
  'vectors-text': (path) => drain(readWord2vecText(path)),
  'vectors-binary': (path) => drain(readWord2vecBinary(path)),
  'word-pairs': async (path) => {
    await readWordPairs(readLines(path), { name: path });
  },
  config: async (path) => {
    const { addTrainCommand, applyConfig } = await (commandParts ??= importCommandParts());
    const program = new Command();
    addTrainCommand(program);
    const [command] = program.commands;
    if (command !== undefined) applyConfig(command, path);
  },
};

async function useCheckpoint(checkpoint: Checkpoint): Promise<void> {
  const { configuration } = checkpoint;
  const backend = createPlainBackend();
  if (isClassifier(configuration)) {
    using model = await loadClassifier(backend, checkpoint, createSubwordTokenizer);
    const { network } = model;
    await topClasses(
      network.output,
      network.computeHidden({ inputs: csrFromLists([[0, 1]], network.sizes.inputs) }),
      3,
    );
    return;
  }
  const reading = loadTextReading(checkpoint, createSubwordTokenizer);
  const module = (name: string): ReturnType<Checkpoint['module']> => savedModule(checkpoint, name);
  using model = await loadTextModel(backend, { ...checkpoint, module });
  await model.predictNextWords([[...reading.tokenize('word1 word2')]], {
    k: 3,
    paddingWord: reading.settings.endOfLine,
  });
  // Going on with the training.
  const { batches } = model.trainingBatches({ tokens: seedTokens, paddingId: 0 }, { batchSize: 16, seed: 1 });
  using trainer = new Trainer(model.network, batches, trainingOptionsFrom(configuration));
  await trainer.restore({ configuration, module });
  using classes = await loadNetwork(backend, { configuration, module });
  if (classes.output.classes !== model.vocabulary.size) throw new Error('two ways to load a network differ');
}
