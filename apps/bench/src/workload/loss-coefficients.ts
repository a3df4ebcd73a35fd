/** α, β, γ of a spherical loss with one target an example, from q and s that were really summed over all outputs. */
import { add, scale, square, type Tape, type Variable } from '@vastmax/autodiff';
import { affine, axpy, binary, fill, type Matrix, type Workspace } from '@vastmax/linalg-core';
import type { SphericalLoss } from '@vastmax/spherical-losses';

export interface OutputSums {
  /** Σo², Σo and the target's output, m×1 each. */
  readonly squares: Matrix;
  readonly sum: Matrix;
  readonly targetOutput: Matrix;
}

export interface LossCoefficients {
  /** m×1, each example's loss. */
  readonly losses: Matrix;
  /**
   * The gradient with respect to output k is factor·o_k + shift, plus atTarget where k is the target. m×1 each, of the
   * mean loss.
   */
  readonly factor: Matrix;
  readonly shift: Matrix;
  readonly atTarget: Matrix;
}

/** All matrices are the workspace's or the tape's: they hold until the next call. */
export function lossCoefficients(
  tape: Tape,
  workspace: Workspace,
  loss: SphericalLoss,
  classes: number,
  sums: OutputSums,
): LossCoefficients {
  const m = sums.sum.rows;
  const column = (name: string): Matrix => workspace.matrix(name, m, 1);
  const filled = (name: string, value: number): Matrix => {
    const out = column(name);
    fill(value, out);
    return out;
  };
  tape.reset();
  // r = q − s²/D is the variable in q's place, as in the factored layer.
  const deviations = column('squared deviations');
  binary('multiply', sums.sum, sums.sum, deviations);
  affine(deviations, -1 / classes, 0, deviations);
  axpy(1, sums.squares, deviations);
  const squaredDeviations = tape.variable(deviations);
  const s = tape.variable(sums.sum);
  const output = tape.variable(sums.targetOutput);
  const q = add(squaredDeviations, scale(square(s), 1 / classes));
  const weight = tape.constant(filled('weights', loss.targetScale));
  const perTarget = loss.perTarget({
    q,
    s,
    squaredDeviations,
    output,
    weight,
    classes,
    constant: undefined,
    constantSum: 0,
  });
  tape.backward(perTarget, filled('target seeds', loss.targetScale / m));
  const losses = filled('losses', 0);
  axpy(loss.targetScale, perTarget.value, losses);
  const perExample = loss.perExample?.({ q, s, squaredDeviations, classes });
  if (perExample !== undefined) {
    tape.backward(perExample, filled('example seeds', 1 / m));
    axpy(1, perExample.value, losses);
  }
  // ∂r/∂o_k = 2(o_k − s/D).
  const factor = filled('factor', 0);
  addGradient(squaredDeviations, 2, factor);
  const shift = column('shift');
  binary('multiply', factor, sums.sum, shift);
  affine(shift, -1 / classes, 0, shift);
  addGradient(s, 1, shift);
  const atTarget = filled('at target', 0);
  addGradient(output, 1, atTarget);
  return { losses, factor, shift, atTarget };
}

function addGradient(variable: Variable, factor: number, out: Matrix): void {
  if (variable.gradient !== undefined) axpy(factor, variable.gradient, out);
}
