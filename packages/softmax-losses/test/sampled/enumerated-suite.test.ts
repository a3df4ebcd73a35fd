/**
 * With every class drawn exactly once, sampled softmax is the full softmax and negative sampling its own expectation:
 * the whole suite holds, and sampled softmax equals dense SGD.
 */
import { createPlainBackend, type Matrix } from '@vastmax/linalg-core';
import type { OutputLayer } from '@vastmax/output-layer';
import { describeOutputLayer } from '@vastmax/output-layer/suite';
import {
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createSampledSoftmaxLayer,
  createStratifiedUnigram,
  type SampledSoftmaxOptions,
} from '@vastmax/softmax-losses';
import type { CsrRows } from '@vastmax/sparse-data';
import { sgdRule } from '@vastmax/update-rules';
import { describeSubject, type Subject } from '../subjects.ts';
import { enumeratingProposal } from './scripted-proposals.ts';

function softmaxSubject(name: string, options: Omit<SampledSoftmaxOptions, 'classes' | 'features'>): Subject {
  const { temperature, bias = true } = options;
  const subject: Subject = {
    name,
    create: (backend, request, rule) =>
      createSampledSoftmaxLayer(backend, {
        ...request,
        ...options,
        initialScale: 0.3,
        rule,
        samples: request.classes,
        proposal: enumeratingProposal(request.classes),
      }),
  };
  if (temperature !== undefined) return subject;
  return {
    ...subject,
    model: ({ classes, features }) => {
      const rows = Array.from({ length: classes }, (_, k) => k * (features + (bias ? 1 : 0)));
      return { bias, decisions: (target) => [{ rows, chosen: target }] };
    },
  };
}

/** Whatever is drawn, all classes are in the sample: no chance is left. */
const headSubject: Subject = {
  name: 'sampled softmax, all classes in the head',
  create: (backend, request, rule) =>
    createSampledSoftmaxLayer(backend, {
      ...request,
      initialScale: 0.3,
      rule,
      samples: 3,
      ...createStratifiedUnigram(new Float64Array(request.classes), { head: request.classes }),
    }),
  model: ({ classes, features }) => {
    const rows = Array.from({ length: classes }, (_, k) => k * (features + 1));
    return { bias: true, decisions: (target) => [{ rows, chosen: target }] };
  },
};

function negativeSubject(sharing: 'minibatch' | 'example'): Subject {
  return {
    name: `negative sampling, ${sharing}`,
    create: (backend, request, rule) =>
      createNegativeSamplingLayer(backend, {
        ...request,
        sharing,
        initialScale: 0.3,
        rule,
        samples: request.classes,
        proposal: enumeratingProposal(request.classes),
      }),
  };
}

/** The suite with SGD alone, for what the other rules would not show. */
function describeWithSgd({ name, create }: Subject): void {
  describeOutputLayer({
    name,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: (backend, request) => create(backend, request, sgdRule()),
  });
}

describeSubject(softmaxSubject('sampled softmax, shared samples', {}));
describeSubject(
  softmaxSubject('sampled softmax, samples for each example, no biases', { sharing: 'example', bias: false }),
);
describeSubject(
  softmaxSubject('sampled softmax, cosines, samples for each example', { temperature: 3, sharing: 'example' }),
);
describeWithSgd(softmaxSubject('sampled softmax, cosines, shared samples', { temperature: 3 }));
describeWithSgd(softmaxSubject('sampled softmax with corrected targets', { correctTargets: true }));
describeSubject(headSubject);
describeSubject(negativeSubject('minibatch'));
describeWithSgd(negativeSubject('example'));

/** A layer that evaluates by its training loss, so that the suite can compare that with its gradient. */
function judgedByTrainingLoss(layer: OutputLayer): OutputLayer {
  return {
    backend: layer.backend,
    kind: layer.kind,
    classes: layer.classes,
    features: layer.features,
    isNormalized: false,
    step: (hidden, targets, options) => layer.step(hidden, targets, options),
    evaluate: async (hidden: Matrix, targets: CsrRows) => {
      await layer.evaluate(hidden, targets);
      return (await layer.step(hidden, targets, { learningRate: 0 })).losses;
    },
    scores: (hidden, firstClass, out) => {
      layer.scores(hidden, firstClass, out);
    },
    classScores: (hidden, classes, out) => {
      layer.classScores(hidden, classes, out);
    },
    classVectors: (firstClass, out) => {
      layer.classVectors(firstClass, out);
    },
    state: () => layer.state(),
    restore: (state) => layer.restore(state),
    [Symbol.dispose]: () => {
      layer[Symbol.dispose]();
    },
  };
}

const createEnumeratedNce =
  (sharing: 'minibatch' | 'example') =>
  (...[backend, request]: Parameters<Parameters<typeof describeOutputLayer>[0]['create']>) =>
    createNoiseContrastiveLayer(backend, {
      ...request,
      sharing,
      initialScale: 0.3,
      logNormalizer: 0.7,
      samples: request.classes,
      proposal: enumeratingProposal(request.classes),
    });

const evaluatesByAStep = 'the wrapper evaluates by two calls of the layer, one of them a step';
const evaluatesLogSoftmax = 'NCE trains on a logistic loss and evaluates the exact log-softmax loss';
for (const sharing of ['minibatch', 'example'] as const) {
  describeOutputLayer({
    name: `noise-contrastive, ${sharing}`,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: createEnumeratedNce(sharing),
    notApplicable: {
      'gradient/finite-differences': evaluatesLogSoftmax,
      'gradient/finite-differences-after-training': evaluatesLogSoftmax,
      'gradient/finite-differences-of-one-example': evaluatesLogSoftmax,
      'gradient/losses-are-those-before-the-step': evaluatesLogSoftmax,
      'minibatch/examples-without-targets': evaluatesLogSoftmax,
    },
  });
  describeOutputLayer({
    name: `noise-contrastive, ${sharing}, judged by its training loss`,
    backend: () => createPlainBackend({ precision: 'f64' }),
    create: async (backend, request) => judgedByTrainingLoss(await createEnumeratedNce(sharing)(backend, request)),
    notApplicable: {
      'overlap/evaluate': evaluatesByAStep,
      'overlap/a-state-is-not-read-after-a-step': evaluatesByAStep,
      'overlap/dispose-waits-for-the-running-call': evaluatesByAStep,
    },
  });
}
