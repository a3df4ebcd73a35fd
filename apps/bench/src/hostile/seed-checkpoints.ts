/** Small checkpoints of every kind of model and output layer, trained for a few steps. */
import { createMemoryStorage, writeCheckpoint } from '@vastmax/checkpoints';
import { createPlainBackend } from '@vastmax/linalg-core';
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import { createNetwork, Trainer, type OutputLayerChoice, type TrainingOptions } from '@vastmax/lm-models';
import { createTextModel, textBody, type TextModelName } from '@vastmax/lm-models/text';
import { csrFromLists, SparseBatches, Vocabulary } from '@vastmax/sparse-data';
import type { Files } from './memory-source.ts';
import { bytePairTokenizer } from './seed-texts.ts';

const words = 24;
const vocabulary = new Vocabulary({
  tokens: ['</s>', '<unk>', ...Array.from({ length: words - 2 }, (_, at) => `word${at}`)],
  counts: Array.from({ length: words }, (_, at) => 3 * (words - at)),
  unknownToken: '<unk>',
});
/** The text that they are trained on. */
export const seedTokens: Int32Array = Int32Array.from({ length: 300 }, (_, at) => (at * at + (at >> 2)) % words);
const common = { initialScale: 0.1, seed: 1 };
const rule = { name: 'adam' };
const factored: OutputLayerChoice = {
  ...common,
  kind: 'factored',
  loss: { name: 'z-loss', options: { a: 0.1, b: 10 } },
};

/** One of each kind: models and output layers that come in pairs. */
const textModels: readonly (readonly [TextModelName, OutputLayerChoice])[] = [
  ['ngram', factored],
  ['lstm', { ...common, kind: 'full', rule }],
  ['gru', { ...common, kind: 'hierarchical', rule: { name: 'momentum' } }],
  ['bag', { ...common, kind: 'huffman' }],
  ['cbow', { ...common, kind: 'sampled', samples: 5, proposal: 'learned', sharing: 'minibatch' }],
  ['skip-gram', { ...common, kind: 'negative', samples: 5, proposal: 'uniform', rule: { name: 'adagrad' } }],
  ['ngram', { ...common, kind: 'hybrid', headSize: 6, cutoffs: [12] }],
  ['ngram', { ...common, kind: 'adaptive', cutoffs: [6, 14], divValue: 2 }],
  ['bag', { ...common, kind: 'nce', samples: 5, proposal: 'unigram', power: 0.75 }],
  ['bag', { ...common, kind: 'rf', samples: 4, frequencies: 8, nu: 2 }],
  ['bag', { ...common, kind: 'quadratic', samples: 4, alpha: 10 }],
  ['bag', { ...factored, loss: { name: 'spherical-softmax', options: { epsilon: 1 } } }],
];

const training: TrainingOptions = {
  bodyRate: 0.01,
  outputRate: 0.1,
  optimizer: 'adam',
  schedule: 'linear',
  examples: 64,
};

/** By name. Each is written as `vastmax train` writes it. */
export async function createSeedCheckpoints(): Promise<ReadonlyMap<string, Files>> {
  const seeds = new Map<string, Files>();
  for (const [at, [name, output]] of textModels.entries()) {
    // The first is read by a tokenizer of its own, the last is of two ranks.
    const isOverRanks = at === textModels.length - 1;
    seeds.set(`${name} ${output.kind} ${at}`, await createTextSeed(name, output, { isSubword: at === 0, isOverRanks }));
  }
  seeds.set('classifier', await createClassifierSeed());
  return seeds;
}

async function createTextSeed(
  name: TextModelName,
  output: OutputLayerChoice,
  { isSubword, isOverRanks }: { readonly isSubword: boolean; readonly isOverRanks: boolean },
): Promise<Files> {
  const body = textBody(name, { order: 3, embedding: 5, hidden: [6], dropout: 0.1 });
  const examples = { model: name, ...(name === 'lstm' || name === 'gru' ? { steps: 4 } : { window: 2 }) };
  using model = await createTextModel(createPlainBackend(), vocabulary, examples, { body, output });
  const { batches } = model.trainingBatches({ tokens: seedTokens, paddingId: 0 }, { batchSize: 16, seed: 1 });
  using trainer = new Trainer(model.network, batches, training);
  for await (const event of trainer.run()) if (event.type === 'finished') break;
  const snapshot = trainer.snapshot();
  return await write(
    {
      modules: isOverRanks ? shareOut(snapshot.modules) : snapshot.modules,
      configuration: {
        ...snapshot.configuration,
        command: 'train',
        text: { tokenizer: isSubword ? 'subword' : 'words', letterCase: 'keep', endOfLine: '</s>', unknown: '<unk>' },
        exampleSettings: examples,
        precision: 'f32',
        batchSize: 16,
      },
    },
    {
      'vocabulary.json': JSON.stringify(vocabulary),
      ...(isSubword ? { 'tokenizer.json': JSON.stringify(bytePairTokenizer) } : {}),
    },
  );
}

async function createClassifierSeed(): Promise<Files> {
  const lists = Array.from({ length: 40 }, (_, at) => [at % 12, (at * 7 + 1) % 12].sort((a, b) => a - b));
  const inputs = csrFromLists(
    lists.map((list) => [...new Set(list)]),
    12,
  );
  const targets = csrFromLists(
    lists.map((_, at) => [at % 9]),
    9,
  );
  using network = await createNetwork(
    createPlainBackend(),
    { inputs: 12, frequencies: Float64Array.from({ length: 9 }, (_, at) => 9 - at) },
    { body: { kind: 'bag', embedding: 5, activation: 'relu', hidden: [4] }, output: factored },
  );
  using trainer = new Trainer(network, new SparseBatches({ inputs, targets, batchSize: 8, seed: 1 }), training);
  for await (const event of trainer.run()) if (event.type === 'finished') break;
  const snapshot = trainer.snapshot();
  return await write(
    {
      ...snapshot,
      configuration: {
        ...snapshot.configuration,
        command: 'train',
        exampleSettings: { model: 'classifier' },
        points: 40,
        precision: 'f32',
        batchSize: 8,
      },
    },
    { 'labels.json': JSON.stringify([8, 0, 1, 2, 3, 4, 5, 6, 7]) },
  );
}

const ranks = 2;

/** The modules as two ranks write them: each its own rows of the output layer. */
function shareOut({ output, ...others }: Readonly<Record<string, ModuleState>>): Readonly<Record<string, ModuleState>> {
  if (output === undefined) return others;
  const shards = Array.from({ length: ranks }, (_, rank): [string, ModuleState] => [
    `output.shard-${rank}-of-${ranks}`,
    {
      configuration: { ...output.configuration, shard: { rank, size: ranks } },
      tensors: output.tensors.map((tensor) => (tensor.rows === words ? everyOther(tensor, rank) : tensor)),
    },
  ]);
  return { ...others, ...Object.fromEntries(shards) };
}

function everyOther(tensor: TensorSource, rank: number): TensorSource {
  const { columns } = tensor;
  return {
    ...tensor,
    rows: Math.ceil((tensor.rows - rank) / ranks),
    read: async (first, count) => {
      const values = await tensor.read(0, tensor.rows);
      const rows = Array.from({ length: count }, (_, at) => (first + at) * ranks + rank);
      const own = values.slice(0, count * columns);
      for (const [at, row] of rows.entries())
        own.set(values.subarray(row * columns, (row + 1) * columns), at * columns);
      return own;
    },
  };
}

async function write(
  content: {
    readonly configuration: ModuleState['configuration'];
    readonly modules: Readonly<Record<string, ModuleState>>;
  },
  texts: Readonly<Record<string, string>>,
): Promise<Files> {
  const storage = createMemoryStorage();
  await writeCheckpoint(storage, { ...content, texts });
  const files = new Map<string, Uint8Array>();
  for (const name of await storage.list()) {
    const reader = await storage.open(name);
    const bytes = new Uint8Array(reader.bytes);
    await reader.read(bytes, 0);
    await reader.close();
    files.set(name, bytes);
  }
  return files;
}
