/**
 * The job of word vectors: how well the cosines of two words' vectors are ordered as people's judgements are, after
 * training by the words around a word and, with the random initial vectors, before it.
 */
import { bagModelShape, createNetwork, Trainer, type BagNetwork, type OutputLayerChoice } from '@vastmax/lm-models';
import {
  evaluateWordSimilarity,
  readEmbeddings,
  readWordPairs,
  type WordPair,
  type WordSimilarity,
} from '@vastmax/lm-models/metrics';
import {
  subsampleTokens,
  WindowBatches,
  type Vocabulary,
  countTokens,
  encodeTokens,
  whitespaceTokens,
  wordTokens,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import { jobFile } from './job-files.ts';
import { speechTexts } from '../workload/training-corpus.ts';
import { trainToTheEnd, type JobContext, type Trained, nullIfDiverged } from './train-to-the-end.ts';

export interface WordsSettings {
  readonly embedding: number;
  readonly window: number;
  /** Of subsampling: words that make up more of the text are thinned out. */
  readonly threshold: number;
  readonly batch: number;
  readonly models: readonly WordsModel[];
  readonly maximumSeconds: number;
}

interface WordsModel {
  readonly name: 'skip-gram' | 'cbow';
  readonly layer: string;
  readonly output: OutputLayerChoice;
  /**
   * Standard deviation of the initial vectors: small, compared with what training adds to a vector.
   */
  readonly embeddingScale: number;
  readonly epochs: number;
  readonly bodyRate: number;
  readonly outputRate: number;
}

interface WordsRow {
  readonly name: string;
  readonly layer: string;
  /** Null for the initial vectors, and where training diverged. */
  readonly trained: Trained | null;
  /** On each file of pairs; none where training diverged. */
  readonly similarities: readonly (WordSimilarity & { readonly file: string })[];
}

export interface WordsResult {
  readonly job: 'words';
  readonly corpus: {
    readonly name: string;
    readonly tokens: number;
    readonly words: number;
    readonly afterSubsampling: number;
  };
  readonly settings: Omit<WordsSettings, 'models'>;
  readonly rows: readonly WordsRow[];
}

const negatives: OutputLayerChoice = {
  kind: 'negative',
  samples: 64,
  proposal: 'unigram',
  power: 0.75,
  initialScale: 0.01,
  seed: 0,
};
const samples: OutputLayerChoice = {
  kind: 'sampled',
  samples: 512,
  proposal: 'unigram',
  power: 0.75,
  initialScale: 0.01,
  seed: 0,
};
const zLoss: OutputLayerChoice = {
  kind: 'factored',
  loss: { name: 'z-loss', options: { a: 0.1, b: 10 } },
  initialScale: 0.01,
  seed: 0,
};

export const wordsSettings: WordsSettings = {
  embedding: 100,
  window: 5,
  threshold: 3e-4,
  batch: 256,
  models: [
    {
      name: 'skip-gram',
      layer: 'negative',
      output: negatives,
      embeddingScale: 0.01,
      epochs: 10,
      bodyRate: 0.01,
      outputRate: 10,
    },
    {
      name: 'cbow',
      layer: 'negative',
      output: negatives,
      embeddingScale: 0.01,
      epochs: 10,
      bodyRate: 0.01,
      outputRate: 10,
    },
    {
      name: 'skip-gram',
      layer: 'sampled',
      output: samples,
      embeddingScale: 0.01,
      epochs: 5,
      bodyRate: 0.01,
      outputRate: 10,
    },
    // From vectors near zero its outputs would have next to no deviation to be measured in.
    {
      name: 'skip-gram',
      layer: 'z-loss',
      output: zLoss,
      embeddingScale: 0.1,
      epochs: 1,
      bodyRate: 0.003,
      outputRate: 0.1,
    },
  ],
  maximumSeconds: 120,
};

const pairFiles = [
  ['MEN', 'men-3k.txt'],
  ['WordSim-353', 'wordsim-353.txt'],
] as const;

export async function measureWords(context: JobContext, settings: WordsSettings = wordsSettings): Promise<WordsResult> {
  context.show('words: reading the text');
  const corpus = await readWordsCorpus(context.data);
  const { vocabulary, tokens } = corpus;
  const pairs = await Promise.all(
    pairFiles.map(async ([file, name]) => ({
      file,
      pairs: await readWordPairs(readLines(jobFile(context.data, 'word-similarity', name))),
    })),
  );
  const text = subsampleTokens(tokens, vocabulary.counts, { threshold: settings.threshold, seed: context.seed });
  const rows: WordsRow[] = [];
  for (const model of settings.models) {
    const { before, after } = await trainVectors(context, settings, corpus, text, model, (network) =>
      similaritiesOf(network, vocabulary, pairs),
    );
    // All begin with the same draw.
    if (rows.length === 0) rows.push({ name: 'as drawn', layer: '', trained: null, similarities: before });
    rows.push(after);
  }
  const { embedding, window, threshold, batch, maximumSeconds } = settings;
  return {
    job: 'words',
    corpus: { name: corpus.name, tokens: tokens.length, words: vocabulary.size, afterSubsampling: text.length },
    settings: { embedding, window, threshold, batch, maximumSeconds },
    rows,
  };
}

type Similarities = WordsRow['similarities'];

async function trainVectors(
  { backend, seed, seconds, show }: JobContext,
  { embedding, window, batch, maximumSeconds }: WordsSettings,
  { vocabulary }: WordsCorpus,
  text: Int32Array,
  { name, layer, output, embeddingScale, epochs, bodyRate, outputRate }: WordsModel,
  similarities: (network: BagNetwork) => Promise<Similarities>,
): Promise<{ before: Similarities; after: WordsRow }> {
  using network = await createNetwork(
    backend,
    { inputs: vocabulary.size, frequencies: vocabulary.counts },
    {
      body: { kind: 'bag', embedding, ...bagModelShape(name), embeddingScale, seed },
      output: { ...output, seed },
    },
  );
  const before = await similarities(network);
  const batches = new WindowBatches({
    tokens: text,
    classes: vocabulary.size,
    before: window,
    after: window,
    predict: name === 'cbow' ? 'centre' : 'context',
    drawReach: true,
    batchSize: batch,
    seed,
  });
  using trainer = new Trainer(network, batches, {
    bodyRate,
    outputRate,
    optimizer: 'adam',
    schedule: 'linear',
    examples: epochs * batches.examplesPerEpoch,
    maximumSeconds: seconds ?? maximumSeconds,
  });
  const trained = await nullIfDiverged(trainToTheEnd(trainer, `words: ${name}, ${layer}`, show));
  const after = { name, layer, trained, similarities: trained === null ? [] : await similarities(network) };
  show(
    `words: ${name}, ${layer}: ${after.similarities.map(({ file, correlation }) => `${file} ${correlation.toFixed(3)}`).join(', ')}`,
  );
  return { before, after };
}

async function similaritiesOf(
  network: BagNetwork,
  vocabulary: Vocabulary,
  files: readonly { readonly file: string; readonly pairs: readonly WordPair[] }[],
): Promise<Similarities> {
  const words = [
    ...new Set(
      files.flatMap(({ pairs }) => pairs).flatMap(({ first, second }) => [first.toLowerCase(), second.toLowerCase()]),
    ),
  ].filter((word) => vocabulary.has(word));
  const vectors = await readEmbeddings(
    network.body.embeddings.table,
    Int32Array.from(words, (word) => vocabulary.idOf(word) ?? 0),
  );
  const vectorOf = new Map(words.map((word, place) => [word, vectors[place]]));
  return files.map(({ file, pairs }) => ({
    file,
    ...evaluateWordSimilarity(pairs, (word) => vectorOf.get(word.toLowerCase())),
  }));
}

interface WordsCorpus {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  readonly tokens: Int32Array;
}

async function readWordsCorpus(data: string): Promise<WordsCorpus> {
  const path = jobFile(data, 'wikitext-2', 'wiki.train.tokens');
  // Words and marks of the speeches are taken apart and joined by spaces, as those of WikiText-2 are.
  async function* lines(): AsyncGenerator<string, void, undefined> {
    for (const text of speechTexts()) yield [...wordTokens(text, { lowerCase: true })].join(' ');
    for await (const line of readLines(path)) yield line.toLowerCase();
  }
  const options = { tokenize: whitespaceTokens };
  const counter = await countTokens(lines(), options);
  const vocabulary = counter.build({ minimumCount: 2, specialTokens: ['<unk>'], unknownToken: '<unk>' });
  return {
    name: `State of the Union and ${path}`,
    vocabulary,
    tokens: await encodeTokens(lines(), vocabulary, options),
  };
}
