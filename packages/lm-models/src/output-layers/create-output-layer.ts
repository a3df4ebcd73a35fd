import { createHybridOutputLayer } from '@vastmax/hybrid-layer';
import type { Backend } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import {
  createAdaptiveSoftmaxLayer,
  createFullSoftmaxLayer,
  createHierarchicalSoftmaxLayer,
  createHuffmanSoftmaxLayer,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createQuadraticSoftmaxLayer,
  createRandomFourierSoftmaxLayer,
  createSampledSoftmaxLayer,
} from '@vastmax/softmax-losses';
import { createBuiltInLoss, createFactoredOutputLayer, taylorSoftmax } from '@vastmax/spherical-losses';
import { ModelError } from '../model-error.ts';
import { outputLayerNames, type OutputLayerChoice } from './output-layer-choice.ts';
import {
  fullLayerOptions,
  sampledLayerOptions,
  softmaxLayerOptions,
  type OutputLayerSizes,
} from './softmax-options.ts';

/** Makes the layer of a choice; {@link createOutputLayer} is one, and a layer over several ranks comes from another. */
export type OutputLayerFactory = (
  backend: Backend,
  sizes: OutputLayerSizes,
  choice: OutputLayerChoice,
) => Promise<OutputLayer>;

/**
 * The layer of a choice. Those that normalise over all classes or over a sample start with their biases at the log of
 * the unigram probabilities. O(D·d²) for the factored layer, O(D·d) for the others, once.
 * @throws ModelError `bad-option` for an unknown kind, loss or proposal; OutputLayerError `bad-option` for a value that does not
 * fit.
 */
export async function createOutputLayer(
  backend: Backend,
  sizes: OutputLayerSizes,
  choice: OutputLayerChoice,
): Promise<OutputLayer> {
  const { features, frequencies } = sizes;
  const { kind, initialScale, seed } = choice;
  if (choice.kind === 'factored') {
    return createFactoredOutputLayer(backend, {
      classes: frequencies.length,
      features,
      loss: createBuiltInLoss(choice.loss.name, choice.loss.options),
      initialScale,
      seed,
      ...(choice.weightDecay === undefined ? {} : { weightDecay: choice.weightDecay }),
    });
  }
  if (choice.kind === 'hybrid') {
    const { headSize, cutoffs, priorPower, tailLoss, headRate, tailRate } = choice;
    return createHybridOutputLayer(backend, {
      features,
      frequencies,
      initialScale,
      seed,
      ...(headSize === undefined ? {} : { headSize }),
      ...(cutoffs === undefined ? {} : { tailCutoffs: cutoffs }),
      ...(priorPower === undefined ? {} : { priorPower }),
      ...(tailLoss === 'taylor-softmax' ? { tailLoss: () => taylorSoftmax() } : {}),
      ...(headRate === undefined ? {} : { headRate }),
      ...(tailRate === undefined ? {} : { tailRate }),
    });
  }
  switch (choice.kind) {
    case 'full': {
      const { labelSmoothing } = choice;
      return createFullSoftmaxLayer(backend, {
        ...fullLayerOptions(sizes, choice),
        ...(labelSmoothing === undefined ? {} : { labelSmoothing }),
      });
    }
    case 'hierarchical':
      return createHierarchicalSoftmaxLayer(backend, { ...softmaxLayerOptions(sizes, choice), frequencies });
    case 'huffman':
      return createHuffmanSoftmaxLayer(backend, { ...softmaxLayerOptions(sizes, choice), frequencies });
    case 'adaptive': {
      const { cutoffs, divValue } = choice;
      return createAdaptiveSoftmaxLayer(backend, {
        ...softmaxLayerOptions(sizes, choice),
        frequencies,
        headBias: true,
        ...(cutoffs === undefined ? {} : { cutoffs }),
        ...(divValue === undefined ? {} : { divValue }),
      });
    }
    case 'sampled':
      return createSampledSoftmaxLayer(backend, sampledLayerOptions(sizes, choice));
    case 'nce':
      return createNoiseContrastiveLayer(backend, sampledLayerOptions(sizes, choice));
    case 'negative':
      return createNegativeSamplingLayer(backend, sampledLayerOptions(sizes, choice));
    case 'rf': {
      const { samples, temperature, frequencies: count, nu } = choice;
      return createRandomFourierSoftmaxLayer(backend, {
        ...softmaxLayerOptions(sizes, choice),
        samples,
        ...(temperature === undefined ? {} : { temperature }),
        ...(count === undefined ? {} : { frequencies: count }),
        ...(nu === undefined ? {} : { nu }),
      });
    }
    case 'quadratic': {
      const { samples, temperature, alpha } = choice;
      return createQuadraticSoftmaxLayer(backend, {
        ...softmaxLayerOptions(sizes, choice),
        samples,
        ...(temperature === undefined ? {} : { temperature }),
        ...(alpha === undefined ? {} : { alpha }),
      });
    }
    default:
      throw new ModelError(
        'bad-option',
        `no output layer is called '${String(kind)}'; there are ${outputLayerNames.join(', ')}`,
      );
  }
}
