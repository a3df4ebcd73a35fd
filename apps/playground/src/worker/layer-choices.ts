/** The registry of output layers for the controls of the page, and what the controls say for the registry. */
import {
  outputLayerOf,
  outputLayers,
  proposalNames,
  trainingDefaults,
  updateRuleNames,
  type OutputLayerChoice,
  type OutputLayerEntry,
} from '@vastmax/lm-models';
import type { LayerChoice, LayerDescription } from '../messages.ts';

const words: Readonly<Record<string, readonly string[]>> = {
  proposal: proposalNames,
  sharing: ['minibatch', 'example'],
  tail: ['tree', 'spherical'],
  rule: updateRuleNames,
};

export function describeLayers(): LayerDescription[] {
  return outputLayers.map((entry) => {
    const { name, description, losses, training, cost, abilities } = entry;
    const rates = losses ?? { [name]: training };
    return {
      name,
      description,
      growth: cost.growth,
      probabilities: abilities.probabilities,
      options: optionsOf(entry),
      rates: Object.fromEntries(
        Object.entries(rates).map(([loss, { outputRate, bodyRate }]) => [loss, { outputRate, bodyRate }]),
      ),
    };
  });
}

function optionsOf({ options, defaults }: OutputLayerEntry): LayerDescription['options'] {
  return options.flatMap((name) => {
    const value = name === 'rule' ? ('rule' in defaults ? 'sgd' : undefined) : defaults[name];
    if (typeof value !== 'number' && typeof value !== 'string') return [];
    return [{ name, value, ...(words[name] === undefined ? {} : { choices: words[name] }) }];
  });
}

/** @throws ModelError for a layer or loss that there is not. */
export function outputChoiceOf({ kind, loss, options }: LayerChoice): OutputLayerChoice {
  const entry = outputLayerOf(kind);
  const { rule, ...given } = options;
  const { lossOptions, initialScale } = trainingDefaults(loss ?? kind);
  return {
    kind,
    ...entry.defaults,
    ...given,
    ...(rule === undefined ? {} : { rule: { name: rule } }),
    ...(loss === undefined ? {} : { loss: { name: loss, options: lossOptions } }),
    initialScale,
    seed: 1,
  } as OutputLayerChoice;
}

export function nameOf({ kind, loss }: LayerChoice): string {
  return loss === undefined ? kind : `${kind}, ${loss}`;
}
