/**
 * What `bench quality` trains: output layers by name, each with the options and rates of `vastmax train`. A name may be
 * followed by options of its own, `hybrid:headSize=500` or `z-loss:a=0.05:b=40:bodyRate=5`, which is how one tries
 * something without a line of code.
 */
import {
  type OutputLayerChoice,
  type OutputLayerName,
  outputLayerNames,
  outputLayerOf,
  trainingDefaults,
  updateRuleNames,
} from '@vastmax/lm-models';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { InvalidArgumentError } from 'commander';

export interface LayerSettings {
  /** As it was given. */
  readonly name: string;
  readonly layer: OutputLayerName;
  readonly loss: string;
  /** At schedule factor 1, on the mean loss. */
  readonly outputRate: number;
  readonly bodyRate: number;
  /** Without its seed. */
  readonly output: OutputLayerChoice;
}

/** All of them, the quick ones first. */
export const layerSettingNames: readonly string[] = [
  ...builtInLossNames,
  'z-loss-b40',
  ...outputLayerNames.filter((name) => name !== 'factored' && name !== 'full'),
  'full',
];

/** Names for what would be long to write. */
const abbreviations: Readonly<Record<string, string>> = { 'z-loss-b40': 'z-loss:a=0.05:b=40:bodyRate=5' };

const lossNames: Readonly<Record<Exclude<OutputLayerName, 'factored'>, string>> = {
  hybrid: 'log-softmax, tail spherical-softmax',
  full: 'log-softmax',
  hierarchical: 'log-softmax of two levels',
  huffman: 'logistic, along a Huffman code',
  adaptive: 'log-softmax of a head and tails',
  sampled: 'sampled log-softmax',
  nce: 'noise-contrastive',
  negative: 'negative sampling',
  rf: 'sampled log-softmax',
  quadratic: 'sampled log-softmax',
};

/** Which options can follow a name, besides the rates and initialScale. */
const ownOptions: Readonly<Record<Exclude<OutputLayerName, 'factored'>, readonly string[]>> = {
  hybrid: ['headSize', 'shortlist', 'headRate', 'tailRate'],
  full: ['labelSmoothing'],
  hierarchical: [],
  huffman: [],
  adaptive: ['divValue'],
  sampled: ['samples', 'power', 'head'],
  nce: ['samples', 'power'],
  negative: ['samples', 'power'],
  rf: ['samples', 'temperature', 'frequencies', 'nu'],
  quadratic: ['samples', 'temperature', 'alpha'],
};

/**
 * @throws InvalidArgumentError, which commander shows with the option's name, for an unknown name or an option that it
 * does not have.
 */
export function parseLayerSettings(name: string): LayerSettings {
  const [base = '', ...assignments] = (Object.hasOwn(abbreviations, name) ? abbreviations[name]! : name).split(':');
  const isLoss = builtInLossNames.some((known) => known === base);
  const layer = isLoss ? 'factored' : outputLayerNames.find((known) => known === base && known !== 'factored');
  if (layer === undefined)
    throw new InvalidArgumentError(`no layer is called '${base}'; there are ${layerSettingNames.join(', ')}.`);
  const options = new Map<string, number>();
  const hasRule = outputLayerOf(layer).options.includes('rule');
  const ruleAssignment = assignments.find((each) => hasRule && updateRuleNames.some((rule) => each === `rule=${rule}`));
  const rule = ruleAssignment?.slice('rule='.length);
  const defaults = trainingDefaults(base, rule);
  const known = [
    'outputRate',
    'bodyRate',
    'initialScale',
    ...(layer === 'factored' ? [...Object.keys(defaults.lossOptions), 'precondition'] : ownOptions[layer]),
  ];
  for (const assignment of assignments) {
    if (assignment === ruleAssignment) continue;
    const [option = '', text = ''] = assignment.split('=');
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!known.includes(option) || !Number.isFinite(value)) {
      throw new InvalidArgumentError(
        `'${assignment}' in '${name}' must be option=number, and ${base} has the options ${known.join(', ')}.`,
      );
    }
    options.set(option, value);
  }
  const take = <Otherwise>(option: string, otherwise: Otherwise): number | Otherwise => {
    const value = options.get(option) ?? otherwise;
    options.delete(option);
    return value;
  };
  const outputRate = take('outputRate', defaults.outputRate);
  const bodyRate = take('bodyRate', defaults.bodyRate);
  const initialScale = take('initialScale', defaults.initialScale);
  const precondition = take('precondition', undefined);
  const own = Object.fromEntries(options);
  if (layer === 'factored') {
    const lossOptions = { ...defaults.lossOptions, ...own };
    const listed = Object.entries(lossOptions).map(([option, value]) => `${option} = ${value}`);
    return {
      name,
      layer,
      loss: listed.length === 0 ? base : `${base} (${listed.join(', ')})`,
      outputRate,
      bodyRate,
      output: {
        kind: layer,
        initialScale,
        seed: 0,
        loss: { name: base, options: lossOptions },
        ...(precondition === undefined ? {} : { precondition }),
      },
    };
  }
  return {
    name,
    layer,
    loss: lossNames[layer],
    outputRate,
    bodyRate,
    output: outputOf(layer, initialScale, own, rule),
  };
}

/** For an option: with commas between, each once. */
export function parseLayerSettingsList(text: string): readonly LayerSettings[] {
  return [...new Set(text.split(',').map((name) => name.trim()))].map(parseLayerSettings);
}

/**
 * The defaults of the command line: 500 samples of the unigram distribution, 100 of a kernel. Negative sampling draws
 * uniformly unless a power is given: with unigram samples its scores are ln p(class|h) − ln P(class) at best, by which
 * hardly a frequent word is ranked among the first 100.
 */
function outputOf(
  kind: Exclude<OutputLayerName, 'factored'>,
  initialScale: number,
  own: Readonly<Record<string, number>>,
  rule: string | undefined,
): OutputLayerChoice {
  const common = { initialScale, seed: 0, ...(rule === undefined ? {} : { rule: { name: rule } }) };
  switch (kind) {
    case 'sampled':
    case 'nce':
      return { kind, ...common, proposal: 'unigram', samples: 500, ...own };
    case 'negative':
      return { kind, ...common, proposal: own['power'] === undefined ? 'uniform' : 'unigram', samples: 500, ...own };
    case 'rf':
    case 'quadratic':
      return { kind, ...common, samples: 100, ...own };
    case 'hybrid':
    case 'full':
    case 'hierarchical':
    case 'huffman':
    case 'adaptive':
      return { kind, ...common, ...own };
  }
}
