/** The options of `vastmax train` that describe the output layer, and which layer or loss each belongs to. */
import { Option, type Command } from 'commander';
import {
  outputLayerNames,
  outputLayerOf,
  outputLayers,
  proposalNames,
  trainingDefaults,
  updateRuleNames,
  type OutputLayerChoice,
  type OutputLayerName,
  type ProposalName,
  type TrainingDefaults,
} from '@vastmax/lm-models';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { UsageError } from '../terminal/errors.ts';
import { finite, halfOrOne, nonNegative, positive, shareBelowOne, wholeNumber, wholeNumbers } from './option-values.ts';

export interface OutputLayerOptions {
  readonly outputLayer: OutputLayerName | 'auto';
  /** {@link lossOf} where it is not given. */
  readonly loss?: string;
  readonly zA?: number;
  readonly zB?: number;
  readonly epsilon?: number;
  readonly targetValue?: number;
  readonly unobservedWeight?: number;
  readonly pull?: number;
  readonly interaction?: number;
  readonly weightDecay?: number;
  readonly precondition?: number;
  readonly headSize?: number;
  readonly tail?: 'tree' | 'spherical';
  readonly shortlist?: number;
  readonly priorPower?: number;
  readonly tailLoss?: 'spherical-softmax' | 'taylor-softmax';
  readonly headRate?: number;
  readonly tailRate?: number;
  readonly outputOptimizer?: string;
  readonly labelSmoothing?: number;
  readonly cutoffs?: readonly number[];
  readonly divValue?: number;
  readonly samples?: number;
  readonly proposal?: ProposalName;
  readonly proposalPower?: number;
  readonly sharing?: 'minibatch' | 'example';
  readonly sampledHead?: number;
  readonly temperature?: number;
  readonly rfFrequencies?: number;
  readonly nu?: number;
  readonly alpha?: number;
  readonly initialScale?: number;
  readonly seed: number;
}

/** Options whose output layer has a name. */
export type WithLayer<Options extends OutputLayerOptions = OutputLayerOptions> = Options & {
  readonly outputLayer: OutputLayerName;
};

/**
 * The options with their layer: the one that is named, or with `auto` the only one that has all options that are given.
 * Undefined where there are several.
 * @throws UsageError where there is none.
 */
export function withKnownLayer<Options extends OutputLayerOptions>(options: Options): WithLayer<Options> | undefined {
  const { outputLayer } = options;
  if (outputLayer !== 'auto') return { ...options, outputLayer };
  const [layer, ...others] = layersOfOptions(options);
  if (layer === undefined)
    throw new UsageError('no output layer has all the options that are given; choose one by --output-layer');
  return others.length === 0 ? { ...options, outputLayer: layer } : undefined;
}

const defaultLoss = 'z-loss';

/** Of the factored layer. */
function lossOf({ loss = defaultLoss }: OutputLayerOptions): string {
  return loss;
}

/** Short forms: `--loss spherical` means `spherical-softmax`. */
const shortLosses: Readonly<Record<string, string>> = {
  spherical: 'spherical-softmax',
  taylor: 'taylor-softmax',
  squared: 'squared-error',
};
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

/** A default value, for help texts. */
const defaultOf = (layer: OutputLayerName, option: string): string => String(outputLayerOf(layer).defaults[option]);
const lossDefault = (loss: string, option: string): string => String(trainingDefaults(loss).lossOptions[option]);

export function addOutputLayerOptions(command: Command): Command {
  return command
    .optionsGroup('Output layer:')
    .addOption(
      new Option(
        '--output-layer <name>',
        'the layer over the vocabulary or the labels; auto takes the best measured one for their number',
      )
        .choices(['auto', ...outputLayerNames])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--loss <name>',
        `factored: the loss; spherical, taylor and squared are short forms (default: ${defaultLoss})`,
      ).argParser(lossName),
    )
    .option(
      '--z-a <a>',
      `z-loss: sharpness; smaller favours top-1 and MRR (default ${lossDefault('z-loss', 'a')})`,
      positive('--z-a'),
    )
    .option(
      '--z-b <b>',
      `z-loss: margin in standard deviations (default ${lossDefault('z-loss', 'b')})`,
      finite('--z-b'),
    )
    .option(
      '--epsilon <e>',
      `spherical-softmax: added to each squared output (default ${lossDefault('spherical-softmax', 'epsilon')})`,
      positive('--epsilon'),
    )
    .option(
      '--target-value <v>',
      `squared-error: what a target's output should be (default ${lossDefault('squared-error', 'targetValue')})`,
      finite('--target-value'),
    )
    .option(
      '--unobserved-weight <a>',
      `implicit: weight of all classes towards 0 (default ${lossDefault('implicit', 'unobservedWeight')})`,
      positive('--unobserved-weight'),
    )
    .option(
      '--pull <a>',
      `rg2, rgx: weight of a target's square (default ${lossDefault('rg2', 'pull')})`,
      positive('--pull'),
    )
    .option(
      '--interaction <b>',
      `rgx: share taken off the squares of all classes (default ${lossDefault('rgx', 'interaction')})`,
      shareBelowOne('--interaction'),
    )
    .option(
      '--weight-decay <l>',
      'factored: decay of the output weights, exact and at no cost',
      nonNegative('--weight-decay'),
    )
    .addOption(
      new Option(
        '--precondition <power>',
        "factored: divide each step by this power of the inputs' second moment, 0.5 or 1 (default: plain SGD)",
      ).argParser(halfOrOne('--precondition')),
    )
    .option('--head-size <n>', 'hybrid: words of the dense head (default by cost)', wholeNumber('--head-size', 1))
    .addOption(
      new Option(
        '--tail <name>',
        `hybrid: the layer over the other words, a tree of softmaxes or an exact factored one (default ${defaultOf('hybrid', 'tail')})`,
      ).choices(['tree', 'spherical']),
    )
    .option(
      '--shortlist <n>',
      'hybrid, tree tail: words after the head that are children of the root (default by cost)',
      wholeNumber('--shortlist', 0),
    )
    .option(
      '--prior-power <p>',
      "hybrid, spherical tail: power of the counts in the tail's prior (default 0.75)",
      nonNegative('--prior-power'),
    )
    .addOption(
      new Option('--tail-loss <name>', 'hybrid, spherical tail: its loss (default spherical-softmax)').argParser(
        tailLossName,
      ),
    )
    .option(
      '--head-rate <f>',
      `hybrid: factor on the output rate for the head (default ${defaultOf('hybrid', 'headRate')})`,
      nonNegative('--head-rate'),
    )
    .option(
      '--tail-rate <f>',
      `hybrid: factor on the output rate for the tail (default ${defaultOf('hybrid', 'tailRate')}; spherical: 15)`,
      nonNegative('--tail-rate'),
    )
    .addOption(
      new Option(
        '--output-optimizer <name>',
        "not factored, not hybrid: of the layer's own weights (default sgd)",
      ).choices(updateRuleNames),
    )
    .option(
      '--label-smoothing <e>',
      'full: share of each target spread over all words',
      shareBelowOne('--label-smoothing'),
    )
    .option(
      '--cutoffs <n,...>',
      'adaptive: where each cluster begins (default balanced by cost); hybrid: where further tails do (default none)',
      wholeNumbers('--cutoffs', 1),
    )
    .option(
      '--div-value <v>',
      `adaptive: each cluster has so many times fewer features (default ${defaultOf('adaptive', 'divValue')})`,
      positive('--div-value'),
    )
    .option(
      '--samples <n>',
      `sampled, nce, negative: words drawn for a minibatch (default ${defaultOf('sampled', 'samples')}); rf, quadratic: for each example (default ${defaultOf('rf', 'samples')})`,
      wholeNumber('--samples', 1),
    )
    .addOption(
      new Option(
        '--proposal <name>',
        `sampled, nce, negative: distribution of the drawn words (default ${defaultOf('sampled', 'proposal')}; negative: ${defaultOf('negative', 'proposal')})`,
      ).choices(proposalNames),
    )
    .option(
      '--proposal-power <p>',
      `unigram proposal: power of the counts (default ${defaultOf('sampled', 'power')})`,
      nonNegative('--proposal-power'),
    )
    .addOption(
      new Option(
        '--sharing <name>',
        `sampled, nce, negative: which examples share drawn words (default ${defaultOf('sampled', 'sharing')})`,
      ).choices(['minibatch', 'example']),
    )
    .option(
      '--sampled-head <n>',
      `sampled: so many of the most frequent words are in every sample, beside those drawn (default ${defaultOf('sampled', 'head')})`,
      wholeNumber('--sampled-head', 0),
    )
    .option(
      '--temperature <t>',
      'rf, quadratic: logits are t·cos(h, w) (rf: default 11.1; quadratic: plain logits)',
      positive('--temperature'),
    )
    .option(
      '--rf-frequencies <n>',
      `rf: random frequencies (default ${defaultOf('rf', 'frequencies')})`,
      wholeNumber('--rf-frequencies', 1),
    )
    .option(
      '--nu <v>',
      `rf: inverse temperature of the kernel that is sampled by (default ${defaultOf('rf', 'nu')})`,
      positive('--nu'),
    )
    .option(
      '--alpha <a>',
      `quadratic: of the kernel a·o² + 1 (default ${defaultOf('quadratic', 'alpha')})`,
      positive('--alpha'),
    )
    .option(
      '--initial-scale <s>',
      "standard deviation of the output weights' start (default depends on the layer)",
      nonNegative('--initial-scale'),
    );
}

/** The name under which the default rates and initial scale are stored: of the loss, or of the layer. */
export function defaultsNameOf(options: WithLayer): string {
  const { outputLayer } = options;
  return outputLayer === 'factored' ? lossOf(options) : outputLayer;
}

/** The layers that have all options that are given and only some layers have. */
export function layersOfOptions(options: OutputLayerOptions): readonly OutputLayerName[] {
  const { loss, zA, zB, epsilon, targetValue } = options;
  const isFactored = [loss, zA, zB, epsilon, targetValue].some((value) => value !== undefined);
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
  const lossOptions = lossOptionsOf(options, defaults.lossOptions);
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
    ...(kind === 'factored' ? { loss: { name: lossOf(options), options: lossOptions } } : {}),
    initialScale: options.initialScale ?? defaults.initialScale,
    seed,
    ...own,
  } as OutputLayerChoice;
}

function lossOptionsOf(options: WithLayer, defaults: Readonly<Record<string, number>>): Record<string, number> {
  const known: readonly (readonly [flag: string, name: string, value: number | undefined])[] = [
    ['--z-a', 'a', options.zA],
    ['--z-b', 'b', options.zB],
    ['--epsilon', 'epsilon', options.epsilon],
    ['--target-value', 'targetValue', options.targetValue],
    ['--unobserved-weight', 'unobservedWeight', options.unobservedWeight],
    ['--pull', 'pull', options.pull],
    ['--interaction', 'interaction', options.interaction],
  ];
  const lossOptions = { ...defaults };
  for (const [flag, name, value] of known) {
    if (value === undefined) continue;
    if (options.outputLayer !== 'factored') {
      throw new UsageError(
        `${flag} is an option of --output-layer factored, not of ${options.outputLayer}; leave it out or choose another layer`,
      );
    }
    if (!(name in defaults)) {
      const own = known.filter(([, each]) => each in defaults).map(([each]) => each);
      throw new UsageError(
        `${flag} is no option of the loss ${lossOf(options)}, which has ${own.join(' and ') || 'none'}; leave it out or give another --loss`,
      );
    }
    lossOptions[name] = value;
  }
  return lossOptions;
}

function lossName(text: string): string {
  const name = (Object.hasOwn(shortLosses, text) ? shortLosses[text] : undefined) ?? text;
  if (builtInLossNames.some((known) => known === name)) return name;
  throw new UsageError(`--loss must be one of ${builtInLossNames.join(', ')}, got '${text}'`);
}

function tailLossName(text: string): 'spherical-softmax' | 'taylor-softmax' {
  const name = lossName(text);
  if (name === 'spherical-softmax' || name === 'taylor-softmax') return name;
  throw new UsageError(`--tail-loss must give probabilities: spherical-softmax or taylor-softmax, got '${text}'`);
}
