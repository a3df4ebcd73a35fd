import { gemm, read, type Workspace } from '@vastmax/linalg-core';
import type { Verification } from '@vastmax/spherical-losses';
import { conditionOf, type FactoredWeights } from '@vastmax/spherical-losses/factored-parts';
import type { Communicator } from '../communicator.ts';
import { computeUnionGram } from './union-gram.ts';

/** As the factored layer's own verification, over the rows of all ranks: the same numbers on each. A collective. O(D·d²/p). */
export async function verifyUnion(communicator: Communicator, workspace: Workspace, weights: FactoredWeights, classes: number): Promise<Verification> {
  const { width } = weights;
  const exact = await computeUnionGram(communicator, workspace, weights, classes);
  const gram = await read(weights.centredGram);
  const columnSum = await read(weights.columnSum);
  // ‖W‖² = tr C + ‖w̄‖²/D.
  let trace = norm(exact.columnSum) ** 2 / classes;
  for (let i = 0; i < width; i++) trace += exact.centredGram[i * (width + 1)]!;
  const product = workspace.matrix('verification', width, width);
  gemm(weights.map, weights.inverse, product);
  const identity = await read(product);
  for (let i = 0; i < width; i++) identity[i * (width + 1)]! -= 1;
  const squares = async (which: 'map' | 'inverse'): Promise<number> => norm(await read(weights[which])) ** 2;
  return {
    gramDrift: distance(gram, exact.centredGram) / Math.max(norm(exact.centredGram), Number.MIN_VALUE),
    columnSumDrift: distance(columnSum, exact.columnSum) / Math.max(norm(exact.columnSum), Math.sqrt(trace), Number.MIN_VALUE),
    inverseDrift: norm(identity) / Math.sqrt(Math.max(1, width)),
    condition: conditionOf(await squares('map'), await squares('inverse'), width),
    generationsClosed: weights.ladder.current,
  };
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
