/**
 * The three sampled losses: the parts of a SampledMethod that do not depend on where the rows of the classes are
 * stored.
 */
import type { Workspace } from '@vastmax/linalg-core';
import { OutputLayerError } from '@vastmax/output-layer';
import type { TrainableRows } from '../class-table/class-table.ts';
import { weightOptions } from '../layer/layer-options.ts';
import { createLearnedUnigramProposal } from '../proposals/learned-unigram.ts';
import type { Proposal } from '../proposals/proposal.ts';
import { ClassVectors } from './class-vectors.ts';
import { createCosineGeometry, createDotGeometry } from './logit-geometry.ts';
import { createLogisticCriterion } from './logistic-criterion.ts';
import {
  checkFixedProposal,
  checkSamplingOptions,
  type NegativeSamplingOptions,
  type NoiseContrastiveOptions,
  type SampledSoftmaxOptions,
  type AnySampledOptions,
} from './sampled-layer-options.ts';
import type { SampledCriterion } from './sampled-criterion.ts';
import { SampledMethod } from './sampled-method.ts';
import { Sampler } from './sampler.ts';
import { createSoftmaxCriterion } from './softmax-criterion.ts';
import type { JsonObject } from '@vastmax/linalg-core/state';

/** A loss over the logits of targets and drawn classes, and how examples are evaluated without drawing. */
export interface SampledLoss {
  readonly kind: string;
  readonly criterion: SampledCriterion;
  readonly evaluation: 'softmax' | 'expected-logistic';
  /** Options of the criterion that a state must agree with. */
  readonly configuration: JsonObject;
}

/** @throws OutputLayerError `bad-option`, `non-finite`. */
export function sampledSoftmaxLoss(options: SampledSoftmaxOptions): SampledLoss {
  const { correctTargets = false, temperature = null, proposal } = options;
  const kind = 'sampled-softmax';
  if (correctTargets && proposal?.kind === 'query') {
    throw new OutputLayerError(
      'bad-option',
      `${kind}: correctTargets needs the target's probability, which the ${proposal.name} proposal does not know`,
    );
  }
  checkSamplingOptions(kind, options);
  return {
    kind,
    criterion: createSoftmaxCriterion(correctTargets),
    evaluation: 'softmax',
    configuration: { correctTargets, temperature },
  };
}

/** @throws OutputLayerError `bad-option`, `non-finite`. */
export function noiseContrastiveLoss(options: NoiseContrastiveOptions): SampledLoss {
  const { logNormalizer = 0 } = options;
  const kind = 'noise-contrastive';
  if (!Number.isFinite(logNormalizer))
    throw new OutputLayerError('bad-option', `${kind}: logNormalizer must be a finite number, got ${logNormalizer}`);
  checkFixedProposal(kind, options);
  checkSamplingOptions(kind, options);
  return {
    kind,
    criterion: createLogisticCriterion({ subtractNoise: true, logNormalizer }),
    evaluation: 'softmax',
    configuration: { logNormalizer },
  };
}

/** @throws OutputLayerError `bad-option`, `non-finite`. */
export function negativeSamplingLoss(options: NegativeSamplingOptions): SampledLoss {
  const kind = 'negative-sampling';
  checkFixedProposal(kind, options);
  checkSamplingOptions(kind, options);
  return {
    kind,
    criterion: createLogisticCriterion({ subtractNoise: false, logNormalizer: 0 }),
    evaluation: 'expected-logistic',
    configuration: {},
  };
}

/** The sampling options of a layer, with defaults filled in. */
export interface SamplingPlan {
  readonly proposal: Proposal;
  /** n. */
  readonly tries: number;
  readonly sharing: 'minibatch' | 'example';
  readonly unique: boolean;
  readonly seed: number;
  readonly removeHits: boolean;
  /** Classes that are in every sample. */
  readonly head: Int32Array;
  readonly temperature: number | undefined;
}

/** The sampling plan of options that have been checked. */
export function samplingPlan(options: AnySampledOptions): SamplingPlan {
  const { classes, temperature, samples = 500, unique = false, removeAccidentalHits = true } = options;
  const { proposal = createLearnedUnigramProposal(classes), sampleSeed = weightOptions(options).seed + 1 } = options;
  const sharing = options.sharing ?? (proposal.kind === 'query' ? 'example' : 'minibatch');
  return {
    proposal,
    tries: samples,
    sharing,
    unique,
    seed: sampleSeed,
    removeHits: removeAccidentalHits,
    head: Int32Array.from(options.head ?? []),
    temperature,
  };
}

/** Creates a method that uses the given rows and takes ownership of them. The caller must call `initialize`. */
export function createSampledMethod(
  loss: SampledLoss,
  { temperature, removeHits, ...sampling }: SamplingPlan,
  table: TrainableRows,
  workspace: Workspace,
): SampledMethod {
  const { features, bias } = table;
  const geometry =
    temperature === undefined
      ? createDotGeometry(workspace, bias, features)
      : createCosineGeometry(workspace, temperature);
  const vectors = new ClassVectors(table, geometry, workspace);
  return new SampledMethod({ ...loss, table, vectors, sampler: new Sampler(vectors, sampling), removeHits });
}
