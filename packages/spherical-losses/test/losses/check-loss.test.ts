/** Mistakes in code around losses, many of which only plain JavaScript lets through. */
import { add, divide, log, negate, scale, shift, square, subtract, sum, type Variable } from '@vastmax/autodiff';
import { createMatrixFrom, createPlainBackend } from '@vastmax/linalg-core';
import { singleTargets } from '@vastmax/sparse-data';
import {
  createFactoredOutputLayer,
  defineSphericalLoss,
  sphericalSoftmax,
  squaredError,
  taylorSoftmax,
  zLoss,
  type FactoredOutputLayer,
  type SphericalLoss,
  type SphericalLossDefinition,
} from '@vastmax/spherical-losses';
import { describe, expect, it } from 'vitest';
import { bouchard } from './bouchard.ts';

const backend = createPlainBackend({ precision: 'f64' });
const classes = 10;
const create = (loss: unknown): Promise<FactoredOutputLayer> =>
  createFactoredOutputLayer(backend, { classes, features: 3, loss: loss as SphericalLoss, initialScale: 0.5 });
const define = (definition: Partial<SphericalLossDefinition>): SphericalLoss =>
  defineSphericalLoss({ name: 'mine', perTarget: ({ output }) => negate(output), ...definition });

async function refusalOf(loss: unknown): Promise<{ code: unknown; message: string }> {
  try {
    (await create(loss))[Symbol.dispose]();
  } catch (error) {
    return error as { code: string; message: string };
  }
  return { code: undefined, message: 'it was not refused' };
}

describe('a loss that is none', () => {
  it.each([
    [zLoss, 'factored layer: loss is the function zLoss, not what it makes; write loss: zLoss()'],
    [
      'z-loss',
      "loss is the name 'z-loss', not a loss; createBuiltInLoss(name) makes one, for z-loss, spherical-softmax",
    ],
    [undefined, 'no loss was given; write for instance loss: zLoss()'],
    [null, 'loss is null, without a perTarget'],
    [{ name: 'mine' }, 'loss is {"name":"mine"}, without a perTarget'],
  ])('is named, with what would be right: %s', async (loss, message) => {
    const refusal = await refusalOf(loss);
    expect(refusal.code).toBe('bad-option');
    expect(refusal.message).toContain(message);
  });

  it('is refused where it is defined', () => {
    const refused = (definition: object, message: string): void => {
      expect(() => defineSphericalLoss(definition as SphericalLossDefinition)).toThrow(
        expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(message) as string }),
      );
    };
    refused({ perTarget: () => undefined }, 'a loss needs a name, got none');
    refused({ name: 'mine' }, 'mine: perTarget must be a function of its terms, got undefined');
    refused(
      { name: 'mine', perTarget: negate, score: 'output' },
      'mine: score must be a function of its terms, got output',
    );
    refused({ name: 'mine', perTarget: negate, options: { c: NaN } }, 'mine: c must be a finite number, got NaN');
  });
});

describe('an expression of a loss', () => {
  const total = ({ output }: { output: Variable }): Variable => sum(output);

  it.each([
    [
      undefined,
      'the loss mine: perTarget must return a Variable of 10×1, computed from its terms; it returned undefined',
    ],
    [3, 'it returned 3'],
  ])('that returns %s is refused at creation', async (returned, message) => {
    const refusal = await refusalOf(define({ perTarget: () => returned as never }));
    expect(refusal).toMatchObject({ code: 'bad-option', message: expect.stringContaining(message) as string });
  });

  it('of one number for all targets is refused at creation', async () => {
    const refusal = await refusalOf(define({ perTarget: total }));
    expect(refusal).toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('a Variable of 1×1') as string,
    });
  });

  it('that fails later is named then, and the layer is as it was', async () => {
    const targets = singleTargets(Int32Array.of(1, 2), classes);
    using hidden = createMatrixFrom(backend, 2, 3, [1, 2, 3, 4, 5, 6]);
    let isWrong = false;
    const late = define({ perTarget: ({ output }) => (isWrong ? sum(output) : negate(output)) });
    using layer = await create(late);
    isWrong = true;
    for (const call of [
      () => layer.step(hidden, targets, { learningRate: 0.1 }),
      () => layer.evaluate(hidden, targets),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'bad-option',
        message: expect.stringContaining('the loss mine: perTarget must return a Variable of 2×1') as string,
      });
    isWrong = false;
    await layer.step(hidden, targets, { learningRate: 0.1 });
    expect(layer.counters.steps).toBe(1);
    using example = await create(define({ perExample: () => undefined as never }));
    await expect(example.evaluate(hidden, targets)).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining('the loss mine: perExample must return a Variable of 2×1') as string,
    });
    using scored = await create(define({ score: total }));
    using out = backend.createMatrix(2, 4);
    expect(() => {
      scored.scores(hidden, 0, out);
    }).toThrow(expect.objectContaining({ code: 'bad-option', message: expect.stringContaining('2×4') as string }));
  });
});

describe('the order of classes', () => {
  it.each<[string, Partial<SphericalLossDefinition>]>([
    [
      'of squared outputs',
      { perTarget: ({ q, output }) => subtract(log(shift(q, 30)), log(shift(square(output), 1))) },
    ],
    [
      'of a Taylor softmax',
      { perTarget: ({ output }) => negate(log(shift(add(output, scale(square(output), 0.5)), 1))) },
    ],
    ['turned around', { perTarget: ({ output }) => output }],
    ['of distances', { perTarget: ({ output, s, classes }) => square(subtract(output, scale(s, 1 / classes))) }],
    [
      'that depends on a constant',
      {
        classConstants: Float64Array.from({ length: classes }, (_, k) => k),
        perTarget: ({ output, constant }) => subtract(constant ?? output, output),
      },
    ],
  ])('%s needs a score', async (_what, definition) => {
    const refusal = await refusalOf(define(definition));
    expect(refusal).toMatchObject({
      code: 'bad-option',
      message: expect.stringMatching(/^factored layer: the loss mine .*give the loss a score/) as string,
    });
    (await create(define({ ...definition, score: ({ output }) => square(output) })))[Symbol.dispose]();
  });

  it.each<[string, SphericalLoss]>([
    ...[zLoss(), zLoss({ a: 3, b: 0 }), sphericalSoftmax(), taylorSoftmax(), squaredError(), bouchard].map(
      (loss) => [loss.name, loss] as [string, SphericalLoss],
    ),
    ['with a prior', sphericalSoftmax({ epsilon: Float64Array.from({ length: classes }, (_, k) => 1 + k) })],
    ['of positive outputs only', define({ perTarget: ({ output, s }) => negate(log(divide(output, s))) })],
    ['of cosines only', define({ perTarget: ({ output }) => square(shift(negate(output), 1)) })],
    ['of constants that it does not use', define({ classConstants: new Float64Array(classes).fill(2) })],
    [
      'that throws when it is tried',
      define({
        perTarget: () => {
          throw new RangeError('not now');
        },
      }),
    ],
  ])('%s is right as it is', async (_name, loss) => {
    (await create(loss))[Symbol.dispose]();
  });
});
