/** The options of `vastmax train` that describe the output layer. */
import { Option, type Command } from 'commander';
import {
  outputLayerNames,
  outputLayerOf,
  proposalNames,
  trainingDefaults,
  updateRuleNames,
  type OutputLayerName,
  type ProposalName,
} from '@vastmax/lm-models';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { UsageError } from '../terminal/errors.ts';
import { finite, halfOrOne, nonNegative, positive, shareBelowOne, wholeNumber, wholeNumbers } from './option-values.ts';

export interface OutputLayerOptions {
  /** `ridge` of vectors only: it is fitted, not trained. */
  readonly outputLayer: OutputLayerName | 'auto' | 'ridge';
  /** {@link defaultLoss} unless given. */
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

/** Of the factored layer. */
export const defaultLoss = 'z-loss';

/** Short forms: `--loss spherical` means `spherical-softmax`. */
const shortLosses: Readonly<Record<string, string>> = {
  spherical: 'spherical-softmax',
  taylor: 'taylor-softmax',
  squared: 'squared-error',
};
/** A default value, for help texts. */
const defaultOf = (layer: OutputLayerName, option: string): string => String(outputLayerOf(layer).defaults[option]);
const lossDefault = (loss: string, option: string): string => String(trainingDefaults(loss).lossOptions[option]);

export function addOutputLayerOptions(command: Command): Command {
  return command
    .optionsGroup('Output layer:')
    .addOption(
      new Option(
        '--output-layer <name>',
        'the layer over the vocabulary or the labels; auto takes the best measured one for their number; ridge fits one to --features in one pass',
      )
        .choices(['auto', ...outputLayerNames, 'ridge'])
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
