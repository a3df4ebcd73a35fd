/**
 * What a logit is: o = h·w + b, or τ·cos(h, w) for a layer that normalises both (RF-softmax, whose kernel estimates exp
 * of a product of vectors of length 1; A. S. Rawat et al., arXiv:1907.10747). Either way o = query·vector, so a pass
 * works on queries and vectors and leaves it to the geometry to make them (vectors have length τ) and to take gradients
 * back.
 */
import { affine, axpy, reduce, rowDot, scaleRows, unary, type Matrix, type Workspace } from '@vastmax/linalg-core';
import { withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { matrixWithCapacity } from './matrix-with-capacity.ts';

export interface LogitGeometry {
  /** Length of a class vector; undefined where vectors are not normalised. */
  readonly temperature: number | undefined;
  /** Queries m×width of hidden m×features; hidden itself where nothing is to be done. */
  queries(hidden: Matrix): Matrix;
  /** The gradient m×features from the one with respect to the last queries, which may be overwritten. */
  hiddenGradient(gradient: Matrix): Matrix;
  /**
   * Rows of the table become class vectors, in place.
   * @param name under which `toRowGradient` finds their lengths.
   * @param most rows that there can be.
   */
  toVectors(rows: Matrix, name: string, most: number): void;
  /** The gradient with respect to the rows of that name, in place, from the one with respect to their vectors. */
  toRowGradient(vectors: Matrix, gradient: Matrix, name: string, most: number): void;
}

export function createDotGeometry(workspace: Workspace, bias: boolean, features: number): LogitGeometry {
  return {
    temperature: undefined,
    queries: (hidden) => withBiasFeature(workspace, hidden, bias),
    hiddenGradient: (gradient) => withoutBiasFeature(workspace, gradient, features),
    toVectors: () => undefined,
    toRowGradient: () => undefined,
  };
}

/** Keeps a length of 0 from a division by 0; a vector longer than 10⁻⁴ does not notice. */
const minSquare = 1e-16;
const unitHidden = 'unit hidden';

/** @param temperature τ, above 0. */
export function createCosineGeometry(workspace: Workspace, temperature: number): LogitGeometry {
  const factorsOf = (name: string, rows: number, most: number): Matrix =>
    matrixWithCapacity(workspace, `${name} factors`, rows, 1, { rows: most });

  /** out = length·source/‖source‖, row by row; the factors are kept. */
  function normalize(source: Matrix, length: number, out: Matrix, name: string, most: number): void {
    const factors = factorsOf(name, source.rows, most);
    reduce('sumSquares', source, factors);
    affine(factors, 1, minSquare, factors);
    unary('sqrt', factors, factors);
    unary('reciprocal', factors, factors);
    affine(factors, length, 0, factors);
    scaleRows(source, factors, out);
  }

  /** v = λw/‖w‖: dw = (dv − v(v·dv)/λ²)·λ/‖w‖, in place. */
  function project(vectors: Matrix, length: number, gradient: Matrix, name: string, most: number): void {
    const along = matrixWithCapacity(workspace, `${name} along`, vectors.rows, 1, { rows: most });
    const share = matrixWithCapacity(workspace, `${name} share`, vectors.rows, vectors.columns, { rows: most });
    rowDot(vectors, gradient, along);
    scaleRows(vectors, along, share);
    axpy(-1 / length ** 2, share, gradient);
    scaleRows(gradient, factorsOf(name, vectors.rows, most), gradient);
  }

  return {
    temperature,
    queries: (hidden) => {
      const unit = workspace.matrix(unitHidden, hidden.rows, hidden.columns);
      normalize(hidden, 1, unit, unitHidden, hidden.rows);
      return unit;
    },
    hiddenGradient: (gradient) => {
      project(workspace.matrix(unitHidden, gradient.rows, gradient.columns), 1, gradient, unitHidden, gradient.rows);
      return gradient;
    },
    toVectors: (rows, name, most) => {
      normalize(rows, temperature, rows, name, most);
    },
    toRowGradient: (vectors, gradient, name, most) => {
      project(vectors, temperature, gradient, name, most);
    },
  };
}
