import { gemm, type Matrix } from '@vastmax/linalg-core';
import { touchedRows, updateColumnSum, updateShift, type ExactUpdate, type UpdateInputs } from './exact-update.ts';
import { crossProduct, gammaVector, mapChange, solveMap, updateGram, updateMapAndRows } from './row-form.ts';

/** The update in row form, on one machine. */
export class RowFormUpdate implements ExactUpdate {
  readonly form = 'row';

  solve(inputs: UpdateInputs): Matrix {
    return solveMap(inputs.workspace, inputs.weights, mapChange(inputs), inputs.reciprocalCondition);
  }

  apply(inputs: UpdateInputs, kind: 'regular' | 'singular'): void {
    const { workspace, weights, learningRate } = inputs;
    const { centredGram } = weights;
    const touched = touchedRows(inputs);
    updateGram(workspace, weights, crossProduct(inputs), learningRate);
    gemm(touched.gradient, touched.gradient, centredGram, { transposeA: true, alpha: learningRate ** 2, beta: 1 });
    const v = gammaVector(inputs);
    gemm(v, v, centredGram, { transposeA: true, alpha: -(learningRate ** 2) / weights.classes, beta: 1 });
    updateColumnSum(inputs);
    updateShift(inputs);
    updateMapAndRows(workspace, weights, touched, learningRate, kind);
  }
}
