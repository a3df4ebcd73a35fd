import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { outputLayerCases, type LayerRequest } from '@vastmax/output-layer/suite';
import {
  createLearnedUnigramProposal,
  createLogUniformProposal,
  createNegativeSamplingLayer,
  createNoiseContrastiveLayer,
  createSampledSoftmaxLayer,
  createUniformProposal,
  type Proposal,
  type SampledSoftmaxOptions,
} from '@vastmax/softmax-losses';
import { RandomGenerator, singleTargets } from '@vastmax/sparse-data';
import { createUpdateRule } from '@vastmax/update-rules';
import { describe, expect, it } from 'vitest';
import { recordingProposal } from './scripted-proposals.ts';

type Options = Omit<SampledSoftmaxOptions, 'classes' | 'features' | 'proposal'>;
const randomCases = /^(restore|ranking|bad-input|lifetime|gradient\/(rate-0|evaluate|training))/;

/**
 * With true chance a step's loss is not its evaluated loss; what the suite says of states, refusals and lifetimes must
 * hold all the same.
 */
describe.each<[string, (request: LayerRequest) => Proposal, Options]>([
  ['learned by counts, shared', ({ classes }) => createLearnedUnigramProposal(classes), {}],
  [
    'log-uniform, unique, Adam',
    ({ classes }) => createLogUniformProposal(classes),
    { unique: true, rule: createUpdateRule('adam') },
  ],
  [
    'learned, for each example, momentum',
    ({ classes }) => createLearnedUnigramProposal(classes),
    { sharing: 'example', rule: createUpdateRule('momentum') },
  ],
  [
    'log-uniform, with a head, Adagrad',
    ({ classes }) => createLogUniformProposal(classes),
    { head: [0], rule: createUpdateRule('adagrad') },
  ],
  ['query proposal', ({ classes, features }) => recordingProposal(classes, features + 1), {}],
  [
    'query proposal on cosines, Adagrad',
    ({ classes, features }) => recordingProposal(classes, features),
    { temperature: 3, rule: createUpdateRule('adagrad') },
  ],
])('sampled softmax, %s', (_, proposalFor, options) => {
  for (const { id, run } of outputLayerCases) {
    if (!randomCases.test(id)) continue;
    // A rule with moments makes room for the rows that a step has touched, and chance decides how many.
    if (options.rule !== undefined && id === 'lifetime/no-new-handles-after-warm-up') continue;
    it(id, () =>
      run({
        name: id,
        backend: () => createPlainBackend({ precision: 'f64' }),
        create: (backend, request) =>
          createSampledSoftmaxLayer(backend, {
            ...request,
            ...options,
            initialScale: 0.3,
            samples: 12,
            proposal: proposalFor(request),
          }),
      }),
    );
  }
});

const classes = 31;
const features = 3;
const plain = (): ReturnType<typeof createPlainBackend> => createPlainBackend({ precision: 'f64' });

describe('a query proposal', () => {
  it.each([undefined, 2.5])('is told every vector that changed, at temperature %s', async (temperature) => {
    const width = temperature === undefined ? features + 1 : features;
    const proposal = recordingProposal(classes, width);
    const backend = plain();
    using layer = await createSampledSoftmaxLayer(backend, {
      classes,
      features,
      samples: 5,
      proposal,
      initialScale: 0.5,
      ...(temperature === undefined ? {} : { temperature }),
    });
    const random = new RandomGenerator(3);
    for (let step = 0; step < 6; step++) {
      using hidden = createMatrixFrom(
        backend,
        2,
        features,
        Float64Array.from({ length: 2 * features }, () => random.normal()),
      );
      await layer.step(hidden, singleTargets(Int32Array.of(step, 30 - step), classes), { learningRate: 0.5 });
    }
    expect(proposal.changes.length).toBe(6);
    for (const [step, changed] of proposal.changes.entries()) {
      expect(new Set(changed).size).toBe(changed.length);
      expect(changed).toEqual(expect.arrayContaining([step, 30 - step]));
    }
    const fresh = recordingProposal(classes, width);
    using copy = await createSampledSoftmaxLayer(backend, {
      classes,
      features,
      samples: 5,
      proposal: fresh,
      ...(temperature === undefined ? {} : { temperature }),
    });
    await copy.restore(layer.state());
    expect(Array.from(proposal.vectors())).toEqual(
      Array.from(fresh.vectors(), (value) => expect.closeTo(value, 12) as number),
    );
    const first = proposal.vectors().subarray(0, features);
    if (temperature !== undefined) expect(Math.hypot(...first)).toBeCloseTo(1, 12);
  });
});

describe('a refused step', () => {
  it('takes back what it has drawn', async () => {
    const backend = plain();
    using layer = await createSampledSoftmaxLayer(backend, { classes, features, samples: 7 });
    using undisturbed = await createSampledSoftmaxLayer(backend, { classes, features, samples: 7 });
    using good = createMatrixFrom(backend, 1, features, [1, 2, 3]);
    using bad = createMatrixFrom(backend, 1, features, [1, Number.NaN, 3]);
    const targets = singleTargets(Int32Array.of(4), classes);
    await expect(layer.step(bad, targets, { learningRate: 0.1 })).rejects.toMatchObject({ code: 'non-finite' });
    for (const each of [layer, undisturbed]) await each.step(good, targets, { learningRate: 0.1 });
    expect(layer.method.samples.classes).toEqual(undisturbed.method.samples.classes);
    expect(layer.state().configuration).toEqual(undisturbed.state().configuration);
  });
});

describe('on wasm f32', () => {
  it('large logits, hits of every sample and one class give finite losses', async () => {
    const backend = await createWasmBackend();
    for (const create of [createSampledSoftmaxLayer, createNoiseContrastiveLayer, createNegativeSamplingLayer]) {
      for (const sharing of ['minibatch', 'example'] as const) {
        for (const count of [1, 2, classes]) {
          using layer = await create(backend, { classes: count, features, samples: 4, sharing, initialScale: 1 });
          using hidden = createMatrixFrom(backend, 2, features, [300, -200, 100, -50, 60, 70]);
          const { losses, hiddenGradient } = await layer.step(
            hidden,
            singleTargets(Int32Array.of(0, count - 1), count),
            { learningRate: 0.1 },
          );
          for (const value of [...(await read(losses)), ...(await read(hiddenGradient))])
            expect(Number.isFinite(value)).toBe(true);
        }
      }
    }
    await backend.dispose();
  });
});

describe('bad options', () => {
  const create = (options: Partial<SampledSoftmaxOptions>) =>
    createSampledSoftmaxLayer(plain(), { classes, features, ...options });
  it.each<[string, Partial<SampledSoftmaxOptions>, string]>([
    ['no samples', { samples: 0 }, '0'],
    ['half a sample', { samples: 1.5 }, '1.5'],
    ['a proposal of other classes', { proposal: createUniformProposal(30) }, '30'],
    [
      'shared samples of a query proposal',
      { proposal: recordingProposal(classes, features + 1), sharing: 'minibatch' },
      'recording',
    ],
    [
      'corrected targets of a query proposal',
      { proposal: recordingProposal(classes, features + 1), correctTargets: true },
      'recording',
    ],
    ['a temperature of 0', { temperature: 0 }, '0'],
    ['a temperature that is NaN', { temperature: Number.NaN }, 'NaN'],
    ['a temperature and biases', { temperature: 2, bias: true }, 'bias'],
    ['biases to start from without biases', { bias: false, initialBiases: new Float64Array(classes) }, 'initialBiases'],
    ['too few biases to start from', { initialBiases: new Float64Array(3) }, '3'],
    ['a class of the head that there is not', { head: [3, classes] }, '31'],
    ['a class twice in the head', { head: [3, 4, 3] }, 'class 3'],
    ['a head of samples for each example', { head: [3], sharing: 'example' }, 'head'],
    ['a head of a query proposal', { head: [3], proposal: recordingProposal(classes, features + 1) }, 'head'],
    ['a negative seed', { seed: -1 }, '-1'],
    ['no class', { classes: 0 }, '0'],
  ])('%s', async (_, options, mention) => {
    await expect(create(options)).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining(mention) as string,
    });
  });

  it('a query proposal for a logistic loss, and a log normaliser that is NaN', async () => {
    // A caller without types.
    const proposal = recordingProposal(classes, features + 1) as never;
    await expect(createNoiseContrastiveLayer(plain(), { classes, features, proposal })).rejects.toMatchObject({
      code: 'bad-option',
    });
    await expect(createNegativeSamplingLayer(plain(), { classes, features, proposal })).rejects.toMatchObject({
      code: 'bad-option',
    });
    await expect(
      createNoiseContrastiveLayer(plain(), { classes, features, logNormalizer: Number.NaN }),
    ).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('a state of another proposal is refused', async () => {
    const backend = plain();
    using layer = await createSampledSoftmaxLayer(backend, {
      classes,
      features,
      proposal: createUniformProposal(classes),
    });
    using other = await createSampledSoftmaxLayer(backend, {
      classes,
      features,
      proposal: createLogUniformProposal(classes),
    });
    await expect(layer.restore(other.state())).rejects.toMatchObject({
      code: 'state-mismatch',
      message: expect.stringContaining('log-uniform') as string,
    });
    const { configuration, tensors } = layer.state();
    using headed = await createSampledSoftmaxLayer(backend, {
      classes,
      features,
      proposal: createUniformProposal(classes),
      head: [2, 5],
    });
    await expect(headed.restore(layer.state())).rejects.toMatchObject({ code: 'state-mismatch' });
    await expect(
      layer.restore({ configuration: { ...configuration, progress: { random: { words: [0] } } }, tensors }),
    ).rejects.toMatchObject({ code: 'state-mismatch' });
  });
});
