/** The kinds of models over words: each a network of lm-models with the minibatches that make it what it is. */
import type { Backend } from '@vastmax/linalg-core';
import {
  createBagNetwork,
  createLanguageModel,
  createRecurrentNetwork,
  evaluateRanking,
  promptBatch,
  Trainer,
  type BagChoice,
  type BagNetwork,
  type LanguageModel,
  type LanguageModelOptions,
  type OutputLayerChoice,
  type RecurrentChoice,
  type RecurrentNetwork,
} from '@vastmax/lm-models';
import { BatchParts, createSequenceSlice, sliceNgramBatch, sliceSparseBatch } from '@vastmax/lm-models/distributed';
import { csrFromLists, NgramBatches, SequenceBatches, WindowBatches, type Vocabulary } from '@vastmax/sparse-data';
import type { Distribution } from './distributed/distribution.ts';
import type { ExampleSettings, TextData, TextModel, TextModelOptions } from './text-model.ts';
import { UsageError } from './usage-error.ts';

/**
 * The seed and the size of minibatches for evaluation: the same order each time, so that the first n examples are a
 * fair sample.
 */
const evaluationOrder = { batchSize: 256, seed: 0 };
/** What a recurrent model reads of a prompt at most. */
const longestPrompt = 512;

/**
 * With random weights.
 * @param distribution for training over several ranks.
 * @throws RangeError and OutputLayerError for options that do not fit.
 */
export async function createTextModel(
  backend: Backend,
  vocabulary: Vocabulary,
  examples: ExampleSettings,
  options: TextModelOptions,
  distribution?: Distribution,
): Promise<TextModel> {
  const sizes = { inputs: vocabulary.size, frequencies: vocabulary.counts };
  switch (examples.model) {
    case 'ngram':
      return ngramModel(
        await createLanguageModel(backend, vocabulary, options as LanguageModelOptions, distribution?.createOutput),
        distribution,
      );
    case 'lstm':
    case 'gru':
      return recurrentModel(
        await createRecurrentNetwork(
          backend,
          sizes,
          options as { body: RecurrentChoice; output: OutputLayerChoice },
          distribution?.createOutput,
        ),
        vocabulary,
        examples,
        distribution,
      );
    default:
      return bagModel(
        await createBagNetwork(
          backend,
          sizes,
          options as { body: BagChoice; output: OutputLayerChoice },
          distribution?.createOutput,
        ),
        vocabulary,
        examples,
        distribution,
      );
  }
}

function ngramModel(model: LanguageModel, distribution: Distribution | undefined): TextModel {
  const { body, vocabulary } = model;
  const { order, embedding, hidden, activation } = body.options;
  const batchesOf = ({ tokens, paddingId }: TextData, { batchSize, seed }: typeof evaluationOrder): NgramBatches =>
    new NgramBatches({ tokens, classes: vocabulary.size, order, batchSize, paddingId, seed });
  return {
    ...common(model),
    examples: { model: 'ngram' },
    vocabulary,
    description: `${order} words of ${embedding} → ${layers(hidden, activation)}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, order * embedding, hidden),
    prepare: (data, ordering) => {
      const batches = batchesOf(data, ordering);
      const createTrainer: ReturnType<TextModel['prepare']>['createTrainer'] =
        distribution === undefined
          ? (training) => new Trainer(model, batches, training)
          : (training) =>
              new Trainer(
                model,
                new BatchParts(batches, distribution.communicator, sliceNgramBatch),
                training,
                distribution,
              );
      return { ...ordering, examplesPerEpoch: batches.examplesPerEpoch, createTrainer };
    },
    evaluate: (data, options) => evaluateRanking(model, batchesOf(data, evaluationOrder), options),
    computePromptHidden: (prompts, paddingId) => {
      const contexts = new Int32Array(prompts.length * order).fill(paddingId);
      for (const [row, prompt] of prompts.entries()) {
        const last = prompt.slice(-order);
        contexts.set(last, (row + 1) * order - last.length);
      }
      return model.computeHidden(contexts, prompts.length);
    },
  };
}

function recurrentModel(
  network: RecurrentNetwork,
  vocabulary: Vocabulary,
  examples: ExampleSettings,
  distribution: Distribution | undefined,
): TextModel {
  const { embedding, hidden, cell } = network.body.options;
  const { steps = 16 } = examples;
  // A minibatch has `batchSize` examples here too: so many streams that their steps add up to it.
  const batchesOf = ({ tokens, paddingId }: TextData, batchSize: number): SequenceBatches =>
    new SequenceBatches({
      tokens,
      classes: vocabulary.size,
      streams: Math.max(1, Math.min(tokens.length, Math.round(batchSize / steps))),
      steps,
      paddingId,
    });
  return {
    ...common(network),
    examples,
    vocabulary,
    description: `words of ${embedding} → ${layers(hidden, cell)}, ${steps} steps`,
    // A layer multiplies by its weights what dense layers do, for each of the cell's gates.
    bodyOperations: (batchSize) =>
      (cell === 'lstm' ? 4 : 3) *
      (denseOperations(batchSize, embedding, hidden) +
        hidden.reduce((sum, width) => sum + 6 * batchSize * width * width, 0)),
    prepare: (data, { batchSize }) => {
      const batches = batchesOf(data, batchSize);
      const ranks = distribution?.communicator.size ?? 1;
      if (batches.streams < ranks)
        throw new UsageError(
          `a minibatch of ${batchSize} examples has ${batches.streams} streams of ${steps} steps, fewer than the ${ranks} ranks; give a --batch of at least ${ranks * steps}, or fewer --steps`,
        );
      const createTrainer: ReturnType<TextModel['prepare']>['createTrainer'] =
        distribution === undefined
          ? (training) => new Trainer(network, batches, training)
          : (training) =>
              new Trainer(
                network,
                new BatchParts(batches, distribution.communicator, createSequenceSlice()),
                training,
                distribution,
              );
      return { examplesPerEpoch: batches.examplesPerEpoch, batchSize: batches.streams * steps, createTrainer };
    },
    evaluate: (data, options) => evaluateRanking(network, batchesOf(data, 32 * steps), options),
    computePromptHidden: (prompts, paddingId) =>
      network.computeBatchHidden(promptBatch(prompts.map((prompt) => [paddingId, ...prompt.slice(-longestPrompt)]))),
  };
}

function bagModel(
  network: BagNetwork,
  vocabulary: Vocabulary,
  examples: ExampleSettings,
  distribution: Distribution | undefined,
): TextModel {
  const { embedding, hidden, activation } = network.body.options;
  const { model, window = 5 } = examples;
  const predictsContext = model === 'skip-gram';
  const batchesOf = (
    { tokens }: TextData,
    { batchSize, seed }: typeof evaluationOrder,
    drawReach: boolean,
  ): WindowBatches =>
    new WindowBatches({
      tokens,
      classes: vocabulary.size,
      before: window,
      after: model === 'bag' ? 0 : window,
      predict: predictsContext ? 'context' : 'centre',
      drawReach,
      batchSize,
      seed,
    });
  const words = {
    bag: `the bag of ${window} words`,
    cbow: `the bag of ${window} words on either side`,
    'skip-gram': 'a word',
  }[model as 'bag' | 'cbow' | 'skip-gram'];
  const longest = { bag: window, cbow: 2 * window, 'skip-gram': 1 }[model as 'bag' | 'cbow' | 'skip-gram'];
  return {
    ...common(network),
    examples,
    vocabulary,
    description: `${words}, of ${embedding}${hidden.length === 0 ? '' : ` → ${layers(hidden, activation === 'identity' ? 'tanh' : activation)}`}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, embedding, hidden),
    prepare: (data, ordering) => {
      // As word2vec has it, near words count more than far ones.
      const batches = batchesOf(data, ordering, model !== 'bag');
      const createTrainer: ReturnType<TextModel['prepare']>['createTrainer'] =
        distribution === undefined
          ? (training) => new Trainer(network, batches, training)
          : (training) =>
              new Trainer(
                network,
                new BatchParts(batches, distribution.communicator, sliceSparseBatch),
                training,
                distribution,
              );
      return { ...ordering, examplesPerEpoch: batches.examplesPerEpoch, createTrainer };
    },
    evaluate: predictsContext
      ? undefined
      : (data, options) => evaluateRanking(network, batchesOf(data, evaluationOrder, false), options),
    computePromptHidden: (prompts, paddingId) => {
      const bags = prompts.map((prompt) => (prompt.length === 0 ? [paddingId] : prompt.slice(-longest)));
      return network.computeBatchHidden({ inputs: csrFromLists(bags, vocabulary.size) });
    },
  };
}

function common(
  model: LanguageModel | RecurrentNetwork | BagNetwork,
): Pick<
  TextModel,
  | 'backend'
  | 'output'
  | 'outputChoice'
  | 'embeddings'
  | 'embeddingScale'
  | 'bodyParameters'
  | 'restore'
  | typeof Symbol.dispose
> {
  const { backend, output, body, options } = model;
  return {
    backend,
    output,
    outputChoice: options.output,
    embeddings: body.embeddings,
    embeddingScale: body.options.embeddingScale,
    bodyParameters: body.parameterCount,
    restore: async (saved) => {
      await body.restore(saved.module('body'));
      await output.restore(saved.module('output'));
    },
    [Symbol.dispose]: () => {
      model[Symbol.dispose]();
    },
  };
}

const layers = (widths: readonly number[], kind: string): string =>
  widths.map((width) => `${kind} ${width}`).join(' → ');

/** Three products a layer: forward, and backward to the weights and to the input. */
function denseOperations(batchSize: number, inputs: number, widths: readonly number[]): number {
  let operations = 0;
  for (const width of widths) {
    operations += 6 * batchSize * inputs * width;
    inputs = width;
  }
  return operations;
}
