/** What will be trained and what that costs, to standard output before the first step. */
import type { XmcRows } from '@vastmax/sparse-data/records';
import type { BagNetwork, OutputLayerChoice } from '@vastmax/lm-models';
import type { TextModel } from '@vastmax/lm-models/text';
import { describeBackend } from '../options/backend-choice.ts';
import { bytes, count, duration } from '../terminal/format.ts';
import { type CostedModel, type CostEstimate, estimateCost } from './cost-estimate.ts';
import type { AnyTrainer } from './run-training.ts';

/** A model as the plan describes it. */
export interface PlannedModel extends CostedModel {
  /** What it learns from: a name and a size. */
  readonly data: readonly [name: string, size: string];
  /** Its body. */
  readonly description: string;
}

export async function printPlan(model: PlannedModel, trainer: AnyTrainer, batchSize: number): Promise<CostEstimate> {
  const { options } = trainer;
  const remaining = Math.max(0, options.examples - trainer.examples);
  const cost = await estimateCost(model, trainer, batchSize, remaining);
  const seconds = Math.min(cost.seconds, options.maximumSeconds ?? Infinity);
  const lines = [
    `backend      ${describeBackend(model.backend)}`,
    `${model.data[0].padEnd(12)} ${model.data[1]}`,
    `output       ${describeOutput(model.outputChoice)}, ${count(cost.outputParameters)} parameters`,
    `body         ${model.description}, ${count(model.bodyParameters)} parameters`,
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
  if (choice.kind === 'factored')
    return `factored, ${choice.loss.name}${describeOptions(Object.entries(choice.loss.options))}`;
  const options = Object.entries(choice).filter(([name]) => !['kind', 'initialScale', 'seed', 'rule'].includes(name));
  return `${choice.kind}${describeOptions('rule' in choice && choice.rule !== undefined ? [...options, ['optimizer', choice.rule.name]] : options)}`;
}

function describeOptions(options: readonly (readonly [name: string, value: unknown])[]): string {
  return options.length === 0 ? '' : ` (${options.map(([name, value]) => `${name} = ${String(value)}`).join(', ')})`;
}

export function planOfText({ network, vocabulary, examples }: TextModel): PlannedModel {
  const { options } = network.body;
  const { embedding, hidden } = options;
  const data = ['vocabulary', `${count(vocabulary.size)} words`] as const;
  if ('cell' in options) {
    const { cell } = options;
    return {
      ...costedParts(network),
      data,
      description: `words of ${embedding} → ${layers(hidden, cell)}, ${examples.steps ?? 16} steps`,
      // A layer multiplies by its weights what dense layers do, for each of the cell's gates.
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
      ...costedParts(network),
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
    ...costedParts(network),
    data,
    description: `${words}, of ${embedding}${hidden.length === 0 ? '' : ` → ${layers(hidden, activation === 'identity' ? 'tanh' : activation)}`}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, embedding, hidden),
  };
}

export function planOfLabels(network: BagNetwork, { inputs, targets }: XmcRows): PlannedModel {
  const { embedding, hidden, activation } = network.body.options;
  const entriesPerPoint = inputs.indices.length / inputs.rows;
  return {
    ...costedParts(network),
    data: ['points', `${count(inputs.rows)} of ${count(inputs.columns)} features, ${count(targets.columns)} labels`],
    description: `a bag of features → ${layers([embedding, ...hidden], activation)}`,
    bodyOperations: (batchSize) => denseOperations(batchSize, entriesPerPoint, [embedding, ...hidden]),
  };
}

function costedParts({
  backend,
  output,
  options,
  body,
}: TextModel['network'] | BagNetwork): Omit<CostedModel, 'bodyOperations'> {
  return { backend, output, outputChoice: options.output, bodyParameters: body.parameterCount };
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
