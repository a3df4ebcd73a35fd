/**
 * The class vectors and queries that `bench sampling-bias` judges proposals on: a neural n-gram model with logits
 * τ·cos(h, c), trained here by sampled softmax with samples that a minibatch shares (drawn by unigram frequency), so
 * that no proposal under test has had a hand in it.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Tape } from '@vastmax/autodiff';
import { read, type Backend } from '@vastmax/linalg-core';
import { createUpdateRule, NgramBody, Optimizer } from '@vastmax/lm-models';
import type { OutputLayer } from '@vastmax/output-layer';
import { createSampledSoftmaxLayer, createUnigramProposal } from '@vastmax/softmax-losses';
import {
  countTokens,
  encodeTokens,
  NgramBatches,
  whitespaceTokens,
  wordTokens,
  type NgramBatch,
  type TextLines,
  type Tokenize,
} from '@vastmax/sparse-data';
import { readLines } from '@vastmax/sparse-data/node';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { speechTexts } from '../workload/training-corpus.ts';
import type { TrainedClasses } from './estimate-bias.ts';

export interface ModelOptions {
  /**
   * A text file; undefined for WikiText-2 beside the checkout if it is there, else the State of the Union addresses.
   */
  readonly data: string | undefined;
  /** The most frequent words, the rest becoming one. */
  readonly classes: number;
  readonly width: number;
  readonly temperature: number;
  readonly seconds: number;
  /** Stop after so many examples, if that is sooner. */
  readonly examples: number;
  readonly queries: number;
  readonly seed: number;
}

export interface TrainingSummary {
  readonly text: string;
  readonly classes: number;
  readonly width: number;
  readonly examples: number;
  readonly steps: number;
  readonly seconds: number;
  /** Exact, over the queries' minibatch of held-out text. */
  readonly perplexity: number;
  readonly unigramPerplexity: number;
}

interface Text {
  readonly name: string;
  readonly tokens: Int32Array;
  /** From here on held out. */
  readonly heldFrom: number;
  readonly classes: number;
  readonly counts: Float64Array;
  readonly paddingId: number;
}

const order = 4;
const embedding = 64;
const batchSize = 256;
const trainingSamples = 1000;
const evaluatedExamples = 2048;
const [endOfLine, unknown] = ['<eos>', '<unk>'];
const wikiText = resolve(import.meta.dirname, '../../../../shared/data/wikitext-2/wiki.train.tokens.br');

export async function trainClasses(
  backend: Backend,
  options: ModelOptions,
  show: ShowStage,
): Promise<{ trained: TrainedClasses; summary: TrainingSummary }> {
  show('text', 'counting and encoding');
  const text = await loadText(options.data, options.classes);
  const { classes, tokens, heldFrom, counts, paddingId } = text;
  const { width, temperature, seed } = options;
  using body = new NgramBody(backend, { words: classes, order, embedding, hidden: [width], seed });
  using optimizer = new Optimizer(backend, body.parameters, createUpdateRule('adam'));
  using layer = await createSampledSoftmaxLayer(backend, {
    classes,
    features: width,
    temperature,
    initialScale: 1 / Math.sqrt(width),
    samples: Math.min(trainingSamples, classes),
    proposal: createUnigramProposal(counts),
    rule: createUpdateRule('adam'),
    seed,
  });
  const batches = new NgramBatches({ tokens, classes, order, batchSize, paddingId, seed, last: heldFrom });
  using tape = new Tape(backend);
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  let examples = 0;
  let steps = 0;
  while (examples < options.examples && elapsed() < options.seconds) {
    const done = Math.max(examples / options.examples, elapsed() / options.seconds);
    const rate = 0.003 * (1 - 0.95 * done);
    const batch = batches.next();
    const hidden = body.forward(tape, batch, { training: true });
    const { hiddenGradient } = await layer.step(hidden.value, batch.targets, { learningRate: rate });
    tape.backward(hidden, hiddenGradient);
    optimizer.step(rate);
    tape.reset();
    examples += batch.size;
    steps++;
    if (steps % 50 === 0)
      show('training', `${examples} examples, ${elapsed().toFixed(0)} of at most ${options.seconds} s`);
  }
  const seconds = elapsed();
  show('training', 'evaluating on held-out text');
  const held = new NgramBatches({
    tokens,
    classes,
    order,
    batchSize: evaluatedExamples,
    paddingId,
    seed,
    first: heldFrom,
  }).next();
  const trained = await collect(body, layer, tape, held, { ...options, counts });
  const perplexity = await perplexityOf(body, layer, tape, held);
  return {
    trained,
    summary: {
      text: text.name,
      classes,
      width,
      examples,
      steps,
      seconds,
      perplexity,
      unigramPerplexity: unigramPerplexity(counts, held.targetIds),
    },
  };
}

async function perplexityOf(body: NgramBody, layer: OutputLayer, tape: Tape, batch: NgramBatch): Promise<number> {
  tape.reset();
  const losses = await read(await layer.evaluate(body.forward(tape, batch).value, batch.targets));
  let sum = 0;
  for (const loss of losses) sum += loss;
  return Math.exp(sum / batch.size);
}

/** Class vectors and the first queries of the held-out minibatch, all divided by their lengths. */
async function collect(
  body: NgramBody,
  layer: OutputLayer,
  tape: Tape,
  held: NgramBatch,
  { width, temperature, queries: wanted, counts }: ModelOptions & { readonly counts: Float64Array },
): Promise<TrainedClasses> {
  const { classes } = layer;
  const vectors = new Float32Array(classes * width);
  const rowsPerBlock = 4096;
  for (let first = 0; first < classes; first += rowsPerBlock) {
    using block = layer.backend.createMatrix(Math.min(rowsPerBlock, classes - first), width);
    layer.classVectors(first, block);
    vectors.set(await read(block), first * width);
  }
  tape.reset();
  const queryCount = Math.min(wanted, held.size);
  const hidden = await read(body.forward(tape, held).value);
  const queries = Float32Array.from(hidden.subarray(0, queryCount * width));
  normalizeRows(vectors, width);
  normalizeRows(queries, width);
  return {
    classes,
    width,
    temperature,
    vectors,
    queryCount,
    queries,
    targets: held.targetIds.slice(0, queryCount),
    counts,
  };
}

function normalizeRows(rows: Float32Array, width: number): void {
  for (let first = 0; first < rows.length; first += width) {
    let square = 0;
    for (let i = first; i < first + width; i++) square += rows[i]! ** 2;
    for (let i = first; i < first + width; i++) rows[i] = rows[i]! / Math.sqrt(square);
  }
}

function unigramPerplexity(counts: Float64Array, targets: Int32Array): number {
  const total = counts.reduce((sum, count) => sum + count + 1, 0);
  let loss = 0;
  for (const target of targets) loss -= Math.log((counts[target]! + 1) / total);
  return Math.exp(loss / targets.length);
}

async function loadText(data: string | undefined, maximumSize: number): Promise<Text> {
  if (data !== undefined) return encode(data, () => readLines(data), whitespaceTokens, maximumSize);
  if (existsSync(wikiText)) return encode('WikiText-2', () => readLines(wikiText), whitespaceTokens, maximumSize);
  const texts = speechTexts();
  return encode(
    'the State of the Union addresses',
    () => texts,
    (line) => wordTokens(line, { lowerCase: true }),
    maximumSize,
  );
}

/** The last twentieth of the text is held out. */
async function encode(name: string, lines: () => TextLines, tokenize: Tokenize, maximumSize: number): Promise<Text> {
  const options = { tokenize, endOfLine };
  const counter = await countTokens(lines(), options);
  const vocabulary = counter.build({ maximumSize, specialTokens: [endOfLine], unknownToken: unknown });
  const tokens = await encodeTokens(lines(), vocabulary, options);
  const heldFrom = Math.floor(tokens.length * 0.95);
  const counts = new Float64Array(vocabulary.size);
  for (let i = 0; i < heldFrom; i++) counts[tokens[i]!]! += 1;
  return { name, tokens, heldFrom, classes: vocabulary.size, counts, paddingId: vocabulary.idOf(endOfLine) ?? 0 };
}
