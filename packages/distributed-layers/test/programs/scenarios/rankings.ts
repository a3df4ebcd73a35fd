/** What a trained layer says of its classes, on every rank for hidden activations of that rank's own. */
import type { Communicator } from '@vastmax/collectives';
import { createMatrixFrom, read } from '@vastmax/linalg-core';
import { csrFromLists, RandomGenerator } from '@vastmax/sparse-data';
import {
  classes,
  constantsLoss,
  createSmallLayer,
  createTraining,
  plainState,
  width,
  type PlainState,
} from './small-layer.ts';

export interface RankingAnswer {
  readonly hidden: Float64Array;
  readonly targets: Int32Array;
  readonly state: PlainState;
  readonly topClasses: Int32Array;
  readonly topScores: Float64Array;
  readonly ranks: Float64Array;
  readonly scores: Float64Array;
  readonly classScores: Float64Array;
  readonly losses: Float64Array;
  readonly drift: number;
}

export async function rankings(communicator: Communicator): Promise<RankingAnswer> {
  using layer = await createSmallLayer(communicator, { loss: constantsLoss() });
  await createTraining(layer, 0.002)(20);
  const random = new RandomGenerator(50 + communicator.rank);
  // The last rank has no examples.
  const m = communicator.rank === communicator.size - 1 ? 0 : 3 + communicator.rank;
  const values = Float64Array.from({ length: m * width }, () => random.normal());
  const targets = Int32Array.from({ length: m }, (_, j) => (j === 0 ? 7 : random.integer(classes)));
  using hidden = createMatrixFrom(layer.backend, m, width, values);
  const { classes: topClasses, scores: topScores } = await layer.topK(hidden, 5);
  const ranks = await layer.ranksOf(hidden, targets);
  using block = layer.backend.createMatrix(m, 20);
  layer.scores(hidden, 13, block);
  const scores = Float64Array.from(await read(block));
  using column = layer.backend.createMatrix(m, 1);
  layer.classScores(hidden, targets, column);
  const classScores = Float64Array.from(await read(column));
  const losses = Float64Array.from(
    await read(
      await layer.evaluate(
        hidden,
        csrFromLists(
          Array.from(targets, (target) => [target]),
          classes,
        ),
      ),
    ),
  );
  const { gramDrift, columnSumDrift, inverseDrift } = await layer.verify();
  const state = await plainState(layer.state());
  await layer.materialize();
  const settled = await layer.verify();
  const drift = Math.max(
    gramDrift,
    columnSumDrift,
    inverseDrift,
    settled.gramDrift,
    settled.columnSumDrift,
    settled.inverseDrift,
  );
  return { hidden: values, targets, state, topClasses, topScores, ranks, scores, classScores, losses, drift };
}
