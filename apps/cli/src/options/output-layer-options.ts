/** The options of `vastmax train` that describe the output layer, and which layer or loss each belongs to. */
import { Option, type Command } from 'commander';
import {
  outputLayerNames,
  proposalNames,
  trainingDefaults,
  updateRuleNames,
  type OutputLayerChoice,
  type OutputLayerName,
  type ProposalName,
} from '@vastmax/lm-models';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { UsageError } from '../terminal/errors.ts';
import { finite, nonNegative, positive, shareBelowOne, wholeNumber, wholeNumbers } from './option-values.ts';

export interface OutputLayerOptions {
  readonly outputLayer: OutputLayerName;
  readonly loss: string;
  readonly zA?: number;
  readonly zB?: number;
  readonly epsilon?: number;
  readonly targetValue?: number;
  readonly weightDecay?: number;
  readonly headSize?: number;
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
  readonly temperature?: number;
  readonly rfFrequencies?: number;
  readonly nu?: number;
  readonly alpha?: number;
  readonly initialScale?: number;
  readonly seed: number;
}

/** `--loss spherical` is short for `spherical-softmax`. */
const shortLosses: Readonly<Record<string, string>> = {
  spherical: 'spherical-softmax',
  taylor: 'taylor-softmax',
  squared: 'squared-error',
};
const sampling: readonly OutputLayerName[] = ['sampled', 'nce', 'negative'];
const kernelSampling: readonly OutputLayerName[] = ['rf', 'quadratic'];
const others = outputLayerNames.filter((name) => name !== 'factored' && name !== 'hybrid');

/** Options of some layers only. */
const ownOptions: readonly (readonly [
  name: keyof OutputLayerOptions,
  flag: string,
  layers: readonly OutputLayerName[],
])[] = [
  ['weightDecay', '--weight-decay', ['factored']],
  ['headSize', '--head-size', ['hybrid']],
  ['priorPower', '--prior-power', ['hybrid']],
  ['tailLoss', '--tail-loss', ['hybrid']],
  ['headRate', '--head-rate', ['hybrid']],
  ['tailRate', '--tail-rate', ['hybrid']],
  ['outputOptimizer', '--output-optimizer', others],
  ['labelSmoothing', '--label-smoothing', ['full']],
  ['cutoffs', '--cutoffs', ['adaptive', 'hybrid']],
  ['divValue', '--div-value', ['adaptive']],
  ['samples', '--samples', [...sampling, ...kernelSampling]],
  ['proposal', '--proposal', sampling],
  ['proposalPower', '--proposal-power', sampling],
  ['sharing', '--sharing', sampling],
  ['temperature', '--temperature', kernelSampling],
  ['rfFrequencies', '--rf-frequencies', ['rf']],
  ['nu', '--nu', ['rf']],
  ['alpha', '--alpha', ['quadratic']],
];

export function addOutputLayerOptions(command: Command): Command {
  return command
    .optionsGroup('Output layer:')
    .addOption(
      new Option('--output-layer <name>', 'the layer over the vocabulary')
        .choices(outputLayerNames)
        .default('factored'),
    )
    .addOption(
      new Option('--loss <name>', 'factored: what it minimises; spherical, taylor and squared are short forms')
        .argParser(lossName)
        .default('z-loss'),
    )
    .option('--z-a <a>', 'z-loss: sharpness; smaller favours top-1 and MRR (default 0.1)', positive('--z-a'))
    .option('--z-b <b>', 'z-loss: margin in standard deviations (default 10)', finite('--z-b'))
    .option('--epsilon <e>', 'spherical-softmax: added to each squared output (default 1)', positive('--epsilon'))
    .option(
      '--target-value <v>',
      "squared-error: what a target's output should be (default 10)",
      finite('--target-value'),
    )
    .option('--weight-decay <l>', 'factored: on the output weights, exact and free', nonNegative('--weight-decay'))
    .option(
      '--head-size <n>',
      'hybrid: words of the dense head (default: as many as cost four times the tail)',
      wholeNumber('--head-size', 1),
    )
    .option(
      '--prior-power <p>',
      "hybrid: power of the counts in the tail's prior (default 0.75)",
      nonNegative('--prior-power'),
    )
    .addOption(
      new Option('--tail-loss <name>', 'hybrid: loss of the tail (default spherical-softmax)').argParser(tailLossName),
    )
    .option('--head-rate <f>', 'hybrid: factor on the output rate for the head (default 2)', nonNegative('--head-rate'))
    .option(
      '--tail-rate <f>',
      'hybrid: factor on the output rate for the tail (default 15)',
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
      'adaptive: each cluster has so many times fewer features (default 4)',
      positive('--div-value'),
    )
    .option(
      '--samples <n>',
      'sampled, nce, negative: words drawn for a minibatch (default 500); rf, quadratic: for each example (default 100)',
      wholeNumber('--samples', 1),
    )
    .addOption(
      new Option(
        '--proposal <name>',
        'sampled, nce, negative: what they are drawn from (default unigram; negative: uniform)',
      ).choices(proposalNames),
    )
    .option(
      '--proposal-power <p>',
      'unigram proposal: power of the counts (default 1)',
      nonNegative('--proposal-power'),
    )
    .addOption(
      new Option('--sharing <name>', 'sampled, nce, negative: who shares a draw (default minibatch)').choices([
        'minibatch',
        'example',
      ]),
    )
    .option(
      '--temperature <t>',
      'rf, quadratic: logits are t·cos(h, w) (rf: default 11.1; quadratic: plain logits)',
      positive('--temperature'),
    )
    .option('--rf-frequencies <n>', 'rf: random frequencies (default 512)', wholeNumber('--rf-frequencies', 1))
    .option('--nu <v>', 'rf: inverse temperature of the kernel that is sampled by (default 4)', positive('--nu'))
    .option('--alpha <a>', 'quadratic: of the kernel a·o² + 1 (default 100)', positive('--alpha'))
    .option(
      '--initial-scale <s>',
      "standard deviation of the output weights' start (default depends on the layer)",
      nonNegative('--initial-scale'),
    );
}

/** What the rates and the start follow from. */
export function defaultsNameOf({ outputLayer, loss }: OutputLayerOptions): string {
  return outputLayer === 'factored' ? loss : outputLayer;
}

/** @throws UsageError for an option of another layer or loss. */
export function outputLayerChoiceOf(options: OutputLayerOptions): OutputLayerChoice {
  const { outputLayer: kind, seed } = options;
  for (const [name, flag, layers] of ownOptions) {
    if (options[name] === undefined || layers.includes(kind)) continue;
    throw new UsageError(
      `${flag} is an option of --output-layer ${layers.join(', ')}, not of ${kind}; leave it out or choose another layer`,
    );
  }
  const defaults = trainingDefaults(defaultsNameOf(options));
  const lossOptions = lossOptionsOf(options, defaults.lossOptions);
  const initialScale = options.initialScale ?? defaults.initialScale;
  if (kind === 'factored') {
    const { loss, weightDecay } = options;
    return {
      kind,
      loss: { name: loss, options: lossOptions },
      initialScale,
      seed,
      ...optional('weightDecay', weightDecay),
    };
  }
  if (kind === 'hybrid') {
    const { headSize, cutoffs, priorPower, tailLoss, headRate, tailRate } = options;
    return {
      kind,
      initialScale,
      seed,
      ...optional('headSize', headSize),
      ...optional('cutoffs', cutoffs),
      ...optional('priorPower', priorPower),
      ...optional('tailLoss', tailLoss),
      ...optional('headRate', headRate),
      ...optional('tailRate', tailRate),
    };
  }
  const {
    outputOptimizer,
    labelSmoothing,
    cutoffs,
    divValue,
    proposalPower,
    sharing,
    temperature,
    rfFrequencies,
    nu,
    alpha,
  } = options;
  // Negative sampling with unigram samples learns association, and ranks rare words first.
  const proposal = options.proposal ?? (kind === 'negative' && proposalPower === undefined ? 'uniform' : 'unigram');
  const common = { initialScale, seed, ...(outputOptimizer === undefined ? {} : { rule: { name: outputOptimizer } }) };
  switch (kind) {
    case 'full':
      return { kind, ...common, ...optional('labelSmoothing', labelSmoothing) };
    case 'hierarchical':
    case 'huffman':
      return { kind, ...common };
    case 'adaptive':
      return { kind, ...common, ...optional('cutoffs', cutoffs), ...optional('divValue', divValue) };
    case 'sampled':
    case 'nce':
    case 'negative':
      if (proposalPower !== undefined && proposal !== 'unigram') {
        throw new UsageError(`--proposal-power is an option of --proposal unigram, not of ${proposal}; leave it out`);
      }
      return {
        kind,
        ...common,
        samples: options.samples ?? 500,
        proposal,
        ...optional('power', proposalPower),
        ...optional('sharing', sharing),
      };
    case 'rf':
    case 'quadratic':
      return {
        kind,
        ...common,
        samples: options.samples ?? 100,
        ...optional('temperature', temperature),
        ...optional('frequencies', rfFrequencies),
        ...optional('nu', nu),
        ...optional('alpha', alpha),
      };
  }
}

function lossOptionsOf(
  options: OutputLayerOptions,
  defaults: Readonly<Record<string, number>>,
): Record<string, number> {
  const known: readonly (readonly [flag: string, name: string, value: number | undefined])[] = [
    ['--z-a', 'a', options.zA],
    ['--z-b', 'b', options.zB],
    ['--epsilon', 'epsilon', options.epsilon],
    ['--target-value', 'targetValue', options.targetValue],
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
        `${flag} is no option of the loss ${options.loss}, which has ${own.join(' and ') || 'none'}; leave it out or give another --loss`,
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

/** A property only when it has a value, which exact optional properties ask for. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}
