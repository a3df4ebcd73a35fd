import { describe, it } from 'vitest';
import type { OutputLayer } from '../output-layer.ts';
import { badInputCases } from './bad-input-cases.ts';
import { gradientCases } from './gradient-cases.ts';
import type { LayerUnderTest, OutputLayerCase } from './layer-under-test.ts';
import { lifetimeCases } from './lifetime-cases.ts';
import { minibatchCases } from './minibatch-cases.ts';
import { overlapCases } from './overlap-cases.ts';
import { rankingCases } from './ranking-cases.ts';
import { stateCases } from './state-cases.ts';

/** Every case, for a test that runs some by themselves. */
export const outputLayerCases: readonly OutputLayerCase[] = [
  ...gradientCases,
  ...minibatchCases,
  ...stateCases,
  ...rankingCases,
  ...badInputCases,
  ...lifetimeCases,
  ...overlapCases,
];

/**
 * The suite that every output layer must pass, registered as vitest tests. `gradient/equals-dense-sgd` is run where the
 * subject has a reference. A case under `notApplicable` is shown as skipped with its reason.
 * @throws RangeError when `notApplicable` names a case that does not exist.
 */
export function describeOutputLayer<Layer extends OutputLayer>(subject: LayerUnderTest<Layer>): void {
  const { notApplicable = {} } = subject;
  for (const id of Object.keys(notApplicable)) {
    if (!outputLayerCases.some((one) => one.id === id))
      throw new RangeError(`describeOutputLayer: there is no case '${id}'`);
  }
  describe(`output layer: ${subject.name}`, () => {
    for (const { id, run } of outputLayerCases) {
      const reason = notApplicable[id];
      if (reason !== undefined) it.skip(`${id} (${reason})`, () => undefined);
      else if (id !== 'gradient/equals-dense-sgd' || subject.reference !== undefined) it(id, () => run(subject));
    }
  });
}
