import { createPlainBackend, type Backend } from '@vastmax/linalg-core';
import type { ModuleState } from '@vastmax/linalg-core/state';
import { RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import {
  createQuadraticProposal,
  createRandomFourierProposal,
  type KernelProposal,
  type KernelTreeOptions,
} from '../../src/kernel-tree/kernel-proposal.ts';
import type { ClassVectorSource } from '../../src/proposals/proposal.ts';
import { createUnitVectors } from './tree-samples.ts';

const [classes, width] = [40, 6];

type Create = (options?: KernelTreeOptions) => KernelProposal;
const proposals: readonly (readonly [string, Create])[] = [
  [
    'random-fourier',
    (options = {}) => createRandomFourierProposal(classes, width, { frequencies: 32, nu: 2, ...options }),
  ],
  ['quadratic', (options = {}) => createQuadraticProposal(classes, width, options)],
];

function sourceOf(vectors: Float64Array): ClassVectorSource {
  return {
    classes: vectors.length / width,
    width,
    read: (first, count) => Promise.resolve(vectors.slice(first * width, (first + count) * width)),
  };
}

interface Draws {
  readonly classes: Int32Array;
  readonly logProbabilities: Float64Array;
}

function drawFrom(proposal: KernelProposal, queries: Float64Array, count: number, random: RandomGenerator): Draws {
  const examples = queries.length / width;
  const draws = { classes: new Int32Array(examples * count), logProbabilities: new Float64Array(examples * count) };
  proposal.draw(queries, examples, count, random, draws.classes, draws.logProbabilities);
  return draws;
}

/** Move some classes: what the layer would say after a step. */
function move(
  proposals_: readonly KernelProposal[],
  vectors: Float64Array,
  moved: readonly number[],
  random: RandomGenerator,
): void {
  const fresh = createUnitVectors(moved.length, width, random);
  for (const proposal of proposals_) proposal.classesChanged(Int32Array.from(moved), moved.length, fresh);
  for (const [i, row] of moved.entries()) vectors.set(fresh.subarray(i * width, (i + 1) * width), row * width);
}

async function createBuilt(
  create: Create,
  vectors: Float64Array,
  options: KernelTreeOptions = {},
): Promise<KernelProposal> {
  const proposal = create({ precision: 'f64', tolerance: 0, ...options });
  await proposal.rebuild(sourceOf(vectors));
  return proposal;
}

async function restoreInto(proposal: KernelProposal, state: ModuleState, vectors: Float64Array): Promise<void> {
  const apply = await proposal.prepareRestore?.(state);
  await apply?.(sourceOf(vectors));
}

describe.each(proposals)('the %s proposal', (name, create) => {
  it('reports the probability of each draw, from which Σ 1/P over the distinct draws counts the classes', async () => {
    const random = new RandomGenerator(2);
    const proposal = await createBuilt(create, createUnitVectors(classes, width, random));
    expect([proposal.name, proposal.kind, proposal.classes]).toEqual([name, 'query', classes]);
    const draws = 40_000;
    const { classes: drawn, logProbabilities } = drawFrom(proposal, createUnitVectors(2, width, random), draws, random);
    for (const example of [0, 1]) {
      const seen = new Map<number, number>();
      let inverse = 0;
      for (let i = example * draws; i < (example + 1) * draws; i++) {
        const probability = Math.exp(logProbabilities[i]!);
        inverse += 1 / probability / draws;
        expect(seen.get(drawn[i]!) ?? probability).toBe(probability);
        seen.set(drawn[i]!, probability);
      }
      expect(Math.abs([...seen.values()].reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-3);
      // E 1/P = D; its variance is Σ 1/P − D².
      const variance = [...seen.values()].reduce((sum, p) => sum + 1 / p, 0) - classes ** 2;
      expect(Math.abs(inverse - classes)).toBeLessThan(5 * Math.sqrt(variance / draws));
    }
  });

  it('follows changed classes: its draws are those of a proposal built from the new vectors', async () => {
    const random = new RandomGenerator(3);
    const vectors = createUnitVectors(classes, width, random);
    const proposal = await createBuilt(create, vectors);
    for (let round = 0; round < 5; round++) move([proposal], vectors, [17, 3, 39, 0, 21].slice(round % 2), random);
    const fresh = await createBuilt(create, vectors);
    const queries = createUnitVectors(3, width, random);
    const [followed, built] = [proposal, fresh].map((one) => drawFrom(one, queries, 50, new RandomGenerator(9))) as [
      Draws,
      Draws,
    ];
    expect(followed.classes).toEqual(built.classes);
    for (const [i, logProbability] of followed.logProbabilities.entries())
      expect(logProbability).toBeCloseTo(built.logProbabilities[i]!, 10);
    expect(proposal.counters()).toMatchObject({ classesOffered: 23, classesFollowed: 23 });
  });

  it('leaves alone what moved less than the tolerance, until it has moved further', async () => {
    const random = new RandomGenerator(4);
    const vectors = createUnitVectors(classes, width, random);
    const proposal = await createBuilt(create, vectors, { tolerance: 0.1 });
    const queries = createUnitVectors(1, width, random);
    const before = drawFrom(proposal, queries, 100, new RandomGenerator(1));
    const moved = vectors.slice(0, width);
    moved[0] = moved[0]! + 0.06;
    proposal.classesChanged(Int32Array.of(0), 1, moved);
    expect(drawFrom(proposal, queries, 100, new RandomGenerator(1))).toEqual(before);
    moved[1] = moved[1]! + 0.09;
    proposal.classesChanged(Int32Array.of(0), 1, moved);
    expect(drawFrom(proposal, queries, 100, new RandomGenerator(1))).not.toEqual(before);
    expect(proposal.counters()).toMatchObject({ classesOffered: 2, classesFollowed: 1 });
  });

  it('goes on bit for bit from its state, also when it lagged behind and across a rebuild', async () => {
    const random = new RandomGenerator(5);
    const vectors = createUnitVectors(classes, width, random);
    const options = { tolerance: 1.2, rebuildEvery: 5, precision: 'f32' } as const;
    const original = await createBuilt(create, vectors, options);
    for (let round = 0; round < 8; round++) move([original], vectors, [round, round + 20], random);
    expect(original.counters().classesFollowed).toBeLessThan(16);
    const copy = await createBuilt(create, createUnitVectors(classes, width, random), options);
    const state = original.state?.() ?? { configuration: {}, tensors: [] };
    await restoreInto(
      copy,
      {
        configuration: JSON.parse(JSON.stringify(state.configuration)) as ModuleState['configuration'],
        tensors: state.tensors,
      },
      vectors,
    );
    for (let round = 0; round < 8; round++) {
      const queries = createUnitVectors(2, width, random);
      expect(drawFrom(copy, queries, 30, new RandomGenerator(round))).toEqual(
        drawFrom(original, queries, 30, new RandomGenerator(round)),
      );
      move([original, copy], vectors, [2 * round, 39 - round], random);
    }
  });

  it('is built the same with a backend as without', async () => {
    const backend: Backend = createPlainBackend({ precision: 'f64' });
    const random = new RandomGenerator(6);
    const vectors = createUnitVectors(classes, width, random);
    const before = backend.memory();
    const [alone, helped] = [await createBuilt(create, vectors), await createBuilt(create, vectors, { backend })];
    expect(backend.memory()).toEqual(before);
    const queries = createUnitVectors(2, width, random);
    const [a, b] = [alone, helped].map((one) => drawFrom(one, queries, 100, new RandomGenerator(1))) as [Draws, Draws];
    expect(b.classes).toEqual(a.classes);
    for (const [i, logProbability] of a.logProbabilities.entries())
      expect(b.logProbabilities[i]).toBeCloseTo(logProbability, 12);
  });

  it('refuses vectors of other sizes, a state of another tree and bad options', async () => {
    const proposal = create();
    await expect(proposal.rebuild(sourceOf(new Float64Array(41 * width)))).rejects.toThrow(
      `${name} proposal: it was made for 40 classes of width 6, the layer has 41 of width 6`,
    );
    const other = create({ leafClasses: 40 }).state?.() ?? { configuration: {}, tensors: [] };
    const coarse = create({ leafClasses: 5 });
    expect(() => coarse.prepareRestore?.(other)).toThrow("tensor 'tree.sums' is 1×");
    const own = coarse.state?.() ?? { configuration: {}, tensors: [] };
    expect(() => coarse.prepareRestore?.({ ...own, configuration: { changesSinceRebuild: -1 } })).toThrow(
      "'changesSinceRebuild' in the state is -1, expected a whole number",
    );
    expect(() => create({ floor: 0 })).toThrow('floor must be a finite number above 0, got 0');
    expect(() => create({ tolerance: -1 })).toThrow('tolerance must be a finite number of at least 0, got -1');
    expect(() => create({ rebuildEvery: 0 })).toThrow('rebuildEvery must be a whole number of at least 1, got 0');
  });
});
