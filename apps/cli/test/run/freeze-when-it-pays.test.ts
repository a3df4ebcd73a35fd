import type { OutputLayer } from '@vastmax/output-layer';
import { expect, it } from 'vitest';
import { freezeWhenItPays } from '../../src/run/freeze-when-it-pays.ts';

it.each([
  ['few questions', 255, { hasLinearScores: true }, 0],
  ['many questions', 256, { hasLinearScores: true }, 1],
  ['a layer that is frozen', 512, { hasLinearScores: true, bestClasses: () => undefined }, 0],
  ['a layer without inner products', 512, {}, 0],
])('%s', async (_, answered, output, expected) => {
  let frozen = 0;
  const network = {
    output: output as unknown as OutputLayer,
    freeze: () => {
      frozen++;
      return Promise.resolve();
    },
  };
  await freezeWhenItPays(network, answered);
  expect(frozen).toBe(expected);
});
