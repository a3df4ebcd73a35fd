/** The output layer that the options of `vastmax train` describe, and which layer or loss each option belongs to. */
import {
  outputLayerNames,
  outputLayerOf,
  outputLayers,
  trainingDefaults,
  type OutputLayerChoice,
  type OutputLayerName,
  type TrainingDefaults,
} from '@vastmax/lm-models';
import { UsageError } from '../terminal/errors.ts';
import { defaultLoss, type OutputLayerOptions } from './output-layer-options.ts';

/** Options whose output layer has a name. */
export type WithLayer<Options extends OutputLayerOptions = OutputLayerOptions> = Options & {
  readonly outputLayer: OutputLayerName;
};

/** Of the factored layer. */
function lossOf({ loss = defaultLoss }: OutputLayerOptions): string {
  return loss;
}

/** Options that only some layers have, by their name in the registry: the name and flag of each in the command. */
const layerOptions: Readonly<Record<string, readonly [name: keyof OutputLayerOptions, flag: string]>> = {
  weightDecay: ['weightDecay', '--weight-decay'],
  precondition: ['precondition', '--precondition'],
  headSize: ['headSize', '--head-size'],
  tail: ['tail', '--tail'],
  shortlist: ['shortlist', '--shortlist'],
  priorPower: ['priorPower', '--prior-power'],
  tailLoss: ['tailLoss', '--tail-loss'],
  headRate: ['headRate', '--head-rate'],
  tailRate: ['tailRate', '--tail-rate'],
  rule: ['outputOptimizer', '--output-optimizer'],
  labelSmoothing: ['labelSmoothing', '--label-smoothing'],
  cutoffs: ['cutoffs', '--cutoffs'],
  divValue: ['divValue', '--div-value'],
  samples: ['samples', '--samples'],
  proposal: ['proposal', '--proposal'],
  power: ['proposalPower', '--proposal-power'],
  sharing: ['sharing', '--sharing'],
  head: ['sampledHead', '--sampled-head'],
  temperature: ['temperature', '--temperature'],
  frequencies: ['rfFrequencies', '--rf-frequencies'],
  nu: ['nu', '--nu'],
  alpha: ['alpha', '--alpha'],
};

/** @param option of a choice. */
export function flagOf(option: string): string {
  return layerOptions[option]?.[1] ?? option;
}

/** Converts options of a choice to options of the command. */
export function optionsOfLayer(choice: Readonly<Record<string, unknown>>): Partial<OutputLayerOptions> {
  const options: Record<string, unknown> = {};
  for (const [option, value] of Object.entries(choice)) {
    const [name] = layerOptions[option] ?? [];
    if (name !== undefined) options[name] = isRule(value) ? value.name : value;
  }
  return options;
}

const isRule = (value: unknown): value is { readonly name: string } =>
  typeof value === 'object' && value !== null && 'name' in value;

/** The layers that have an option. */
const layersWith = (option: string): readonly OutputLayerName[] =>
  outputLayers.filter(({ options }) => options.includes(option)).map(({ name }) => name);

/** Options of a loss of the factored layer: their names in the command and in the registry, and the flag. */
const lossOptions = [
  ['zA', 'a', '--z-a'],
  ['zB', 'b', '--z-b'],
  ['epsilon', 'epsilon', '--epsilon'],
  ['targetValue', 'targetValue', '--target-value'],
  ['unobservedWeight', 'unobservedWeight', '--unobserved-weight'],
  ['pull', 'pull', '--pull'],
  ['interaction', 'interaction', '--interaction'],
] as const;

/**
 * The options with their layer: the one that is named, or with `auto` the only one that has all options that are given.
 * Undefined where there are several.
 * @throws UsageError where there is none.
 */
export function withKnownLayer<Options extends OutputLayerOptions>(options: Options): WithLayer<Options> | undefined {
  const { outputLayer } = options;
  if (outputLayer === 'ridge')
    throw new UsageError(
      '--output-layer ridge is fitted to --features; give a file of vectors, or choose another layer',
    );
  if (outputLayer !== 'auto') return { ...options, outputLayer };
  const [layer, ...others] = layersOfOptions(options);
  if (layer === undefined)
    throw new UsageError('no output layer has all the options that are given; choose one by --output-layer');
  return others.length === 0 ? { ...options, outputLayer: layer } : undefined;
}

/** The name under which the default rates and initial scale are stored: of the loss, or of the layer. */
export function defaultsNameOf(options: WithLayer): string {
  const { outputLayer } = options;
  return outputLayer === 'factored' ? lossOf(options) : outputLayer;
}

/** The layers that have all options that are given and only some layers have. */
export function layersOfOptions(options: OutputLayerOptions): readonly OutputLayerName[] {
  const isFactored = options.loss !== undefined || lossOptions.some(([name]) => options[name] !== undefined);
  const given = Object.entries(layerOptions).filter(([, [name]]) => options[name] !== undefined);
  return outputLayerNames.filter(
    (layer) => (!isFactored || layer === 'factored') && given.every(([option]) => layersWith(option).includes(layer)),
  );
}

/** With the update rule of the layer's own weights that is given. */
export function layerTrainingDefaults(options: WithLayer): TrainingDefaults {
  return trainingDefaults(defaultsNameOf(options), options.outputOptimizer);
}

/** @throws UsageError for an option of another layer or loss. */
export function outputLayerChoiceOf(options: WithLayer): OutputLayerChoice {
  const { outputLayer: kind, seed } = options;
  for (const [option, [name, flag]] of Object.entries(layerOptions)) {
    const layers = layersWith(option);
    if (options[name] === undefined || layers.includes(kind)) continue;
    throw new UsageError(
      `${flag} is an option of --output-layer ${layers.join(', ')}, not of ${kind}; leave it out or choose another layer`,
    );
  }
  for (const [option, flag] of [
    ['priorPower', '--prior-power'],
    ['tailLoss', '--tail-loss'],
  ] as const) {
    if (options[option] === undefined || options.tail === 'spherical') continue;
    throw new UsageError(`${flag} is an option of --tail spherical; give that too, or leave ${flag} out`);
  }
  const defaults = layerTrainingDefaults(options);
  const ofLoss = lossOptionsOf(options, defaults.lossOptions);
  const entry = outputLayerOf(kind);
  const own: Record<string, unknown> = {};
  for (const option of entry.options) {
    const [name] = layerOptions[option] ?? [];
    const given = name === undefined ? undefined : options[name];
    // A choice always contains the number of samples and the proposal.
    const value = given ?? (option === 'samples' || option === 'proposal' ? entry.defaults[option] : undefined);
    if (value !== undefined) own[option] = option === 'rule' ? { name: value } : value;
  }
  if (own['power'] !== undefined) {
    // Only the unigram proposal has a power.
    own['proposal'] = options.proposal ?? 'unigram';
    if (own['proposal'] !== 'unigram') {
      throw new UsageError(
        `--proposal-power is an option of --proposal unigram, not of ${String(own['proposal'])}; leave it out`,
      );
    }
  }
  const isStratified = own['proposal'] === 'unigram' && own['sharing'] !== 'example';
  if (!isStratified && options.sampledHead !== undefined && options.sampledHead > 0) {
    throw new UsageError(
      `--sampled-head ${options.sampledHead} is an option of --proposal unigram with --sharing minibatch; leave it out`,
    );
  }
  return {
    kind,
    ...(kind === 'factored' ? { loss: { name: lossOf(options), options: ofLoss } } : {}),
    initialScale: options.initialScale ?? defaults.initialScale,
    seed,
    ...own,
  } as OutputLayerChoice;
}

function lossOptionsOf(options: WithLayer, defaults: Readonly<Record<string, number>>): Record<string, number> {
  const chosen = { ...defaults };
  for (const [option, name, flag] of lossOptions) {
    const value = options[option];
    if (value === undefined) continue;
    if (options.outputLayer !== 'factored') {
      throw new UsageError(
        `${flag} is an option of --output-layer factored, not of ${options.outputLayer}; leave it out or choose another layer`,
      );
    }
    if (!(name in defaults)) {
      const own = lossOptions.filter(([, each]) => each in defaults).map(([, , each]) => each);
      throw new UsageError(
        `${flag} is no option of the loss ${lossOf(options)}, which has ${own.join(' and ') || 'none'}; leave it out or give another --loss`,
      );
    }
    chosen[name] = value;
  }
  return chosen;
}
