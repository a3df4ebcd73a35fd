import { gatherRows, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { ClassConstants } from './class-constants.ts';
import type { ForwardPass } from './forward-pass.ts';
import type { LossInputs } from './loss-evaluation.ts';
import type { TargetPairs } from './target-pairs.ts';

/** What a loss is evaluated on, from a forward pass. @param classes D. */
export function lossInputsOf(
  workspace: Workspace,
  forward: ForwardPass,
  pairs: TargetPairs,
  classes: number,
  constants: ClassConstants | undefined,
): LossInputs {
  const { squaredDeviations, outputSum, outputs, pairRows } = forward;
  let pairConstants: Matrix | undefined;
  if (constants !== undefined) {
    pairConstants = workspace.matrix('pair constants', pairs.count, 1);
    gatherRows(constants.table, workspace.indices('pair classes', pairs.pairClasses, pairs.count), pairConstants);
  }
  return {
    squaredDeviations,
    outputSum,
    outputs,
    constants: pairConstants,
    constantSum: constants?.sum ?? 0,
    pairs,
    pairRows,
    classes,
  };
}
