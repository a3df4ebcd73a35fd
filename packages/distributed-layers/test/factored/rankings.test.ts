import { mergeShards } from '@vastmax/distributed-layers';
import { createMatrixFrom, createPlainBackend, read } from '@vastmax/linalg-core';
import { ranksOf, topK } from '@vastmax/output-layer';
import { csrFromLists } from '@vastmax/sparse-data';
import { createFactoredOutputLayer } from '@vastmax/spherical-losses';
import { relativeError } from '@vastmax/spherical-losses/testing';
import { expect, it } from 'vitest';
import type { RankingAnswer } from '../programs/scenarios/rankings.ts';
import { constantsLoss, layerOptions, moduleState, width } from '../programs/scenarios/small-layer.ts';
import { playOnThreads } from '../run-program.ts';

it.each([1, 3])('%i ranks rank and score as one process does', async (size) => {
  const answers = await playOnThreads<RankingAnswer>('rankings', size);
  const backend = createPlainBackend({ precision: 'f64' });
  using single = await createFactoredOutputLayer(backend, layerOptions(constantsLoss()));
  await single.restore(mergeShards(answers.map(({ state }) => moduleState(state))));
  for (const answer of answers) {
    const m = answer.targets.length;
    using hidden = createMatrixFrom(backend, m, width, answer.hidden);
    const best = await topK(single, hidden, 5);
    expect(answer.topClasses).toEqual(best.classes);
    expect(relativeError(answer.topScores, best.scores)).toBeLessThan(1e-12);
    expect(answer.ranks).toEqual(await ranksOf(single, hidden, answer.targets));
    using block = backend.createMatrix(m, 20);
    single.scores(hidden, 13, block);
    expect(relativeError(answer.scores, await read(block))).toBeLessThan(1e-12);
    using column = backend.createMatrix(m, 1);
    single.classScores(hidden, answer.targets, column);
    expect(relativeError(answer.classScores, await read(column))).toBeLessThan(1e-12);
    const losses = await read(
      await single.evaluate(
        hidden,
        csrFromLists(
          Array.from(answer.targets, (target) => [target]),
          single.classes,
        ),
      ),
    );
    expect(relativeError(answer.losses, losses)).toBeLessThan(1e-12);
    expect(answer.drift).toBeLessThan(1e-12);
  }
});
