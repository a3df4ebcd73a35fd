/**
 * How logits are computed: o = h·w + b, or o = τ·cos(h, w) for a layer that normalises both (RF-softmax, whose kernel
 * estimates exp of a product of vectors of length 1; A. S. Rawat et al., arXiv:1907.10747). In both cases o =
 * query·vector. Losses and gradients are computed for queries and vectors; the geometry computes these from hidden
 * activations and rows (vectors have length τ), and transforms their gradients back.
 */
import { affine, axpy, reduce, rowDot, scaleRows, unary, type Matrix, type Workspace } from '@vastmax/linalg-core';
import { withBiasFeature, withoutBiasFeature } from '@vastmax/output-layer';
import { matrixWithCapacity } from './matrix-with-capacity.ts';

export interface LogitGeometry {
  /** Length of a class vector; undefined if vectors are not normalised. */
  readonly temperature: number | undefined;
  /** Queries, m×width, of hidden, m×features; returns hidden itself if they are equal. */
  queries(hidden: Matrix): Matrix;
  /** The hidden gradient, m×features, from the gradient with respect to the last queries, which may be overwritten. */
  hiddenGradient(gradient: Matrix): Matrix;
  /**
   * Transforms rows of the table to class vectors, in place.
   * @param name name under which `toRowGradient` finds their lengths.
   * @param maxRows largest possible number of rows; sets the capacity of scratch matrices.
   */
  toVectors(rows: Matrix, name: string, maxRows: number): void;
  /**
   * Transforms the gradient with respect to the vectors of that name to the gradient with respect to their rows, in
   * place.
   */
  toRowGradient(vectors: Matrix, gradient: Matrix, name: string, maxRows: number): void;
}

/** Logits as dot products of hidden and class vectors, with a bias if there is one. */
export function createDotGeometry(workspace: Workspace, bias: boolean, features: number): LogitGeometry {
  return {
    temperature: undefined,
    queries: (hidden) => withBiasFeature(workspace, hidden, bias),
    hiddenGradient: (gradient) => withoutBiasFeature(workspace, gradient, features),
    toVectors: () => undefined,
    toRowGradient: () => undefined,
  };
}

/** Avoids a division by 0 for a vector of length 0; negligible for vectors longer than 10⁻⁴. */
const minSquare = 1e-16;
const unitHidden = 'unit hidden';

/** @param temperature τ, above 0. */
export function createCosineGeometry(workspace: Workspace, temperature: number): LogitGeometry {
  const factorsOf = (name: string, rows: number, maxRows: number): Matrix =>
    matrixWithCapacity(workspace, `${name} factors`, rows, 1, { rows: maxRows });

  /** out = length·source/‖source‖, row by row; the factors stay in the workspace. */
  function normalize(source: Matrix, length: number, out: Matrix, name: string, maxRows: number): void {
    const factors = factorsOf(name, source.rows, maxRows);
    reduce('sumSquares', source, factors);
    affine(factors, 1, minSquare, factors);
    unary('sqrt', factors, factors);
    unary('reciprocal', factors, factors);
    affine(factors, length, 0, factors);
    scaleRows(source, factors, out);
  }

  /** v = λw/‖w‖: dw = (dv − v(v·dv)/λ²)·λ/‖w‖, in place. */
  function project(vectors: Matrix, length: number, gradient: Matrix, name: string, maxRows: number): void {
    const along = matrixWithCapacity(workspace, `${name} along`, vectors.rows, 1, { rows: maxRows });
    const share = matrixWithCapacity(workspace, `${name} share`, vectors.rows, vectors.columns, { rows: maxRows });
    rowDot(vectors, gradient, along);
    scaleRows(vectors, along, share);
    axpy(-1 / length ** 2, share, gradient);
    scaleRows(gradient, factorsOf(name, vectors.rows, maxRows), gradient);
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
    toVectors: (rows, name, maxRows) => {
      normalize(rows, temperature, rows, name, maxRows);
    },
    toRowGradient: (vectors, gradient, name, maxRows) => {
      project(vectors, temperature, gradient, name, maxRows);
    },
  };
}
