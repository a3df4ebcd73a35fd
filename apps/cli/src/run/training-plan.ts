/**
 * Prints the training plan and its cost to standard output before the first step: sizes from the model's options, time
 * from a measured gemm on this machine.
 */
import { createMatrixFrom, gemm, type Backend } from '@vastmax/linalg-core';
import {
  outputLayerOf,
  type BagNetwork,
  type DenseNetwork,
  type OutputLayerChoice,
  type TransformerNetwork,
} from '@vastmax/lm-models';
import type { TextModel, TextNetwork } from '@vastmax/lm-models/text';
import { describeBackend } from '../options/backend-choice.ts';
import { bytes, count, duration } from '../terminal/terminal.ts';
import { tensorBytes } from './last-save.ts';
import type { AnyTrainer } from './run-training.ts';
import type { ClassifierTexts } from '@vastmax/lm-models/labels';
import {
  recommenderOf,
  type RecommenderName,
  type RecommenderNetwork,
  type RecommenderSettings,
} from '@vastmax/lm-models/recommenders';
import type { DenseTrainingData } from '../dense/dense-data.ts';
import type { TrainingData } from '../labels/label-data.ts';
import type { RecommenderData } from '../recommend/interaction-data.ts';

export interface CostEstimate {
  readonly outputParameters: number;
  readonly bytes: number;
  /** Size of a checkpoint; while one replaces another, both are on the disk. */
  readonly checkpointBytes: number;
  readonly seconds: number;
}

/** A model as the plan describes it. */
export interface PlannedModel {
  readonly network: TextNetwork | BagNetwork | DenseNetwork | RecommenderNetwork;
  /** The training data: a name and a size. */
  readonly data: readonly [name: string, size: string];
  /** Further lines about it. */
  readonly notes?: readonly (readonly [name: string, text: string])[];
  /** The body. */
  readonly description: string;
  /** Multiplications and additions of the body in a step of so many examples, forward and backward. */
  readonly bodyOperations: (batchSize: number) => number;
}

export async function printPlan(model: PlannedModel, trainer: AnyTrainer, batchSize: number): Promise<CostEstimate> {
  const { options } = trainer;
  const { backend, body, options: choices } = model.network;
  const remaining = Math.max(0, options.examples - trainer.examples);
  const cost = await estimateCost(model, trainer, batchSize, remaining);
  const seconds = Math.min(cost.seconds, options.maximumSeconds ?? Infinity);
  const lines = [
    `backend      ${describeBackend(backend)}`,
    ...[model.data, ...(model.notes ?? [])].map(([name, text]) => `${name.padEnd(12)} ${text}`),
    `output       ${describeOutput(choices.output)}, ${count(cost.outputParameters)} parameters`,
    `body         ${model.description}, ${count(body.parameterCount)} parameters`,
    `memory       ${bytes(cost.bytes)}`,
    `training     ${count(remaining)} examples, minibatches of ${batchSize}, about ${duration(seconds)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return cost;
}

export function describeDryRun({ checkpointBytes }: CostEstimate): string {
  return `checkpoint   ${bytes(checkpointBytes)}; twice that on the disk while one replaces another\ndry run: nothing was trained and nothing written\n`;
}

function describeOutput(choice: OutputLayerChoice): string {
  if (choice.kind === 'factored') {
    const { loss, precondition } = choice;
    const own = precondition === undefined ? [] : [['precondition', precondition] as const];
    return `factored, ${loss.name}${describeOptions([...Object.entries(loss.options), ...own])}`;
  }
  const options = Object.entries(choice).filter(([name]) => !['kind', 'initialScale', 'seed', 'rule'].includes(name));
  return `${choice.kind}${describeOptions('rule' in choice && choice.rule !== undefined ? [...options, ['optimizer', choice.rule.name]] : options)}`;
}

function describeOptions(options: readonly (readonly [name: string, value: unknown])[]): string {
  return options.length === 0 ? '' : ` (${options.map(([name, value]) => `${name} = ${String(value)}`).join(', ')})`;
}

export function planOfText({ network, vocabulary, examples }: TextModel): PlannedModel {
  const { options } = network.body;
  const { embedding } = options;
  const data = ['vocabulary', `${count(vocabulary.size)} words`] as const;
  if ('heads' in options)
    return {
      network,
      data,
      description: describeTransformer(options, 'words'),
      bodyOperations: transformerOperations(options),
    };
  const { hidden } = options;
  if ('cell' in options) {
    const { cell } = options;
    return {
      network,
      data,
      description: `words of ${embedding} → ${layers(hidden, cell)}, ${examples.steps ?? 16} steps`,
      // Each gate of a cell costs one dense layer on the input and one on the state.
      bodyOperations: (batchSize) =>
        (cell === 'lstm' ? 4 : 3) *
        (denseOperations(batchSize, embedding, hidden) +
          hidden.reduce((sum, width) => sum + 6 * batchSize * width * width, 0)),
    };
  }
  const { activation } = options;
  if ('order' in options) {
    const { order } = options;
    return {
      network,
      data,
      description: `${order} words of ${embedding} → ${layers(hidden, activation)}`,
      bodyOperations: (batchSize) => denseOperations(batchSize, order * embedding, hidden),
    };
  }
  const { window = 5 } = examples;
  const words = {
    bag: `the bag of ${window} words`,
    cbow: `the bag of ${window} words on either side`,
    'skip-gram': 'a word',
  }[examples.model as 'bag' | 'cbow' | 'skip-gram'];
  return {
    network,
    data,
    description: `${words}, of ${embedding}${hidden.length === 0 ? '' : ` → ${layers(hidden, activation === 'identity' ? 'tanh' : activation)}`}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, embedding, hidden),
  };
}

type TransformerOptions = TransformerNetwork['body']['options'];

function describeTransformer(
  { layers: depth, embedding, heads, feedForward, activation, context }: TransformerOptions,
  inputs: string,
): string {
  return `transformer of ${depth} ${depth === 1 ? 'layer' : 'layers'}, ${inputs} of ${embedding}, ${heads} heads, ${feedForward} ${activation}, ${context} ${inputs} at once`;
}

/** @param seen positions of a sequence on average; `context` unless given. */
function transformerOperations(
  { layers: depth, embedding, feedForward, activation, context }: TransformerOptions,
  seen: number = context,
): PlannedModel['bodyOperations'] {
  const matrices = 4 * embedding + (activation === 'swiglu' ? 3 : 2) * feedForward;
  return (batchSize) => depth * batchSize * embedding * (6 * matrices + 14 * seen);
}

/** @param bucketBytes memory of the embeddings of buckets and of their update rule. */
export function planOfLabels(
  network: BagNetwork,
  { inputs, targets, entries }: Pick<TrainingData, 'inputs' | 'targets' | 'entries'>,
  texts: ClassifierTexts | undefined,
  bucketBytes: number,
): PlannedModel {
  const { embedding, hidden, activation } = network.body.options;
  const entriesPerPoint = entries / inputs.rows;
  const labels = `${count(targets.columns)} labels`;
  const { buckets = 0 } = texts?.features.ngrams ?? {};
  return {
    network,
    data:
      texts === undefined
        ? ['points', `${count(inputs.rows)} of ${count(inputs.columns)} features, ${labels}`]
        : ['texts', `${count(inputs.rows)} of ${count(texts.features.vocabulary.size)} different words, ${labels}`],
    notes:
      buckets === 0
        ? []
        : [
            [
              'n-grams',
              `in ${count(buckets)} buckets of ${embedding} numbers, ${bytes(bucketBytes)} with their moments`,
            ],
          ],
    description:
      activation === 'identity'
        ? `a bag of features, of ${embedding}${hidden.length === 0 ? '' : ` → ${layers(hidden, 'tanh')}`}`
        : `a bag of features → ${layers([embedding, ...hidden], activation)}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, entriesPerPoint, [embedding, ...hidden]),
  };
}

/** Lines about the data of a recommender. */
export function describeInteractions(
  { users, items, interactions, division, hasTimes }: RecommenderData,
  model: RecommenderName,
): readonly (readonly [name: string, text: string])[] {
  return [
    ['interactions', `${count(interactions)} of ${count(users.length)} users with ${count(items.size)} items`],
    ...(recommenderOf(model).reads === 'sequences'
      ? [['order', hasTimes ? 'by time' : 'as in the file, which has no times; --time-column names them'] as const]
      : []),
    ['evaluation', division],
  ];
}

export function planOfRecommender(
  network: RecommenderNetwork,
  data: RecommenderData,
  { model, window = 5, steps = 16 }: RecommenderSettings,
): PlannedModel {
  // Of a network that is trained by minibatches.
  const options = network.body.options as Exclude<typeof network.body.options, { readonly lambda: number }>;
  const { histories } = data;
  const entriesPerUser = histories.offsets[histories.rows]! / Math.max(1, histories.rows);
  const [ofData = ['interactions', ''] as const, ...notes] = describeInteractions(data, model);
  const common = { network, data: ofData, notes };
  if ('heads' in options) {
    const seen = Math.min(options.context, entriesPerUser);
    return {
      ...common,
      description: describeTransformer(options, 'items'),
      bodyOperations: transformerOperations(options, seen),
    };
  }
  const { embedding, hidden } = options;
  const reads =
    'cell' in options
      ? `items of ${embedding} → ${layers(hidden, options.cell)}, ${steps} steps`
      : model === 'next-item'
        ? `the bag of the last ${window} items, of ${embedding}`
        : `a bag of items → ${layers([embedding], options.activation)}`;
  const above =
    'cell' in options || hidden.length === 0
      ? ''
      : ` → ${layers(hidden, options.activation === 'identity' ? 'tanh' : options.activation)}`;
  return {
    ...common,
    description: `${reads}${above}`,
    bodyOperations: (batchSize) =>
      'cell' in options
        ? 3 *
          (denseOperations(batchSize, embedding, hidden) +
            hidden.reduce((sum, width) => sum + 6 * batchSize * width * width, 0))
        : denseOperations(batchSize, model === 'autoencoder' ? entriesPerUser : window, [embedding, ...hidden]),
  };
}

export function planOfVectors(network: DenseNetwork, data: DenseTrainingData): PlannedModel {
  const { inputs, hidden, activation, layerNorm, inputScale } = network.body.options;
  const kind = layerNorm ? `${activation} of layer norm` : activation;
  return {
    network,
    data: describeVectors(data),
    description: `vectors of ${inputs}${inputScale === 1 ? '' : `, divided by ${inputScale}`}${hidden.length === 0 ? '' : ` → ${layers(hidden, kind)}`}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, inputs, hidden),
  };
}

export function describeVectors({
  training: { inputs, targets, rows },
  heldOut,
  vectors: { isInFile },
}: DenseTrainingData): readonly [name: string, size: string] {
  const held = heldOut?.rows === undefined ? '' : `, ${count(heldOut.rows.length)} more held out`;
  const where = isInFile ? ', read from the file' : '';
  return [
    'vectors',
    `${count(rows.length)} of ${count(inputs.columns)} numbers${where}, ${count(targets.columns)} labels${held}`,
  ];
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

/** Factor of the time of a step relative to its gemm, as measured on the plain backend. */
const overhead = 1.35;

/** @param examples number of examples still to be trained on. */
async function estimateCost(
  { network, bodyOperations }: PlannedModel,
  trainer: AnyTrainer,
  batchSize: number,
  examples: number,
): Promise<CostEstimate> {
  const { output, backend, options } = network;
  const width = output.features + 1;
  const sizes = { classes: output.classes, width, batch: batchSize };
  const steps = Math.ceil(examples / batchSize);
  return {
    outputParameters: output.classes * width,
    bytes: backend.memory().bytes + 4 * output.classes,
    checkpointBytes: tensorBytes(trainer.snapshot().modules),
    seconds:
      (overhead *
        steps *
        (bodyOperations(batchSize) + outputLayerOf(options.output.kind).cost.operations(sizes, options.output))) /
      (await measureGemm(backend, batchSize, width)),
  };
}

/**
 * Floating-point operations per second of the product that dominates a step. The median, since other processes may slow
 * some of the products down.
 */
async function measureGemm(backend: Backend, m: number, d: number): Promise<number> {
  const values = Float64Array.from({ length: m * d }, (_, i) => Math.sin(i));
  using a = createMatrixFrom(backend, m, d, values);
  using b = createMatrixFrom(
    backend,
    d,
    d,
    values.length >= d * d ? values.subarray(0, d * d) : new Float64Array(d * d).fill(0.5),
  );
  using out = backend.createMatrix(m, d);
  const product = async (): Promise<number> => {
    const start = performance.now();
    gemm(a, b, out);
    await backend.synchronize();
    return performance.now() - start;
  };
  await product();
  const milliseconds: number[] = [];
  for (const end = performance.now() + 150; performance.now() < end || milliseconds.length === 0;)
    milliseconds.push(await product());
  const median = milliseconds.sort((x, y) => x - y)[milliseconds.length >> 1] ?? 1;
  return (2 * m * d * d) / (Math.max(1e-3, median) / 1000);
}
