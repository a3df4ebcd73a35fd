/** What will be trained and what that costs, to standard output before the first step. */
import type { OutputLayerChoice } from '@vastmax/lm-models';
import type { Vocabulary } from '@vastmax/sparse-data';
import { describeBackend } from '../options/backend-choice.ts';
import { bytes, count, duration } from '../terminal/format.ts';
import { type CostedModel, type CostEstimate, estimateCost } from './cost-estimate.ts';
import type { AnyTrainer } from './run-training.ts';

type PlannedModel = CostedModel & { readonly description: string } & (
    { readonly vocabulary: Vocabulary } | { readonly points: string }
  );

export async function printPlan(model: PlannedModel, trainer: AnyTrainer, batchSize: number): Promise<CostEstimate> {
  const { options } = trainer;
  const remaining = Math.max(0, options.examples - trainer.examples);
  const cost = await estimateCost(model, trainer, batchSize, remaining);
  const seconds = Math.min(cost.seconds, options.maximumSeconds ?? Infinity);
  const lines = [
    `backend      ${describeBackend(model.backend)}`,
    'vocabulary' in model ? `vocabulary   ${count(model.vocabulary.size)} words` : `points       ${model.points}`,
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
