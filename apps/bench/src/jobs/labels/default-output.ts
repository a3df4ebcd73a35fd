/** The output layer of a classifier with the library's defaults. */
import { builtInLossNames } from '@vastmax/spherical-losses';
import { outputLayerOf, trainingDefaults, type OutputLayerChoice } from '@vastmax/lm-models';
import { classifierTraining } from '@vastmax/lm-models/labels';

/** @param name of a loss of the factored layer, or of another layer. */
export function defaultOutput(name: string, seed: number): OutputLayerChoice {
  const isLoss = builtInLossNames.some((loss) => loss === name);
  const { initialScale, lossOptions } = trainingDefaults(name);
  const { defaults } = outputLayerOf(isLoss ? 'factored' : name);
  const { outputRule } = classifierTraining(name, { updates: 1 });
  return {
    kind: isLoss ? 'factored' : name,
    ...(isLoss ? { loss: { name, options: lossOptions } } : {}),
    initialScale,
    seed,
    ...('samples' in defaults ? { samples: defaults['samples'], proposal: defaults['proposal'] } : {}),
    ...(outputRule === undefined ? {} : { rule: { name: outputRule } }),
  } as OutputLayerChoice;
}
