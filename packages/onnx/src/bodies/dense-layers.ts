/** What several bodies have: activations, norms, and dense layers one after the other. */
import { findTensor, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';
import type { ActivationName } from '@vastmax/lm-models';
import type { Graph } from '../graph.ts';

/** Added to variances, as in the norms of @vastmax/autodiff. */
export const normEpsilon = 1e-5;

/** A tensor of the body's state, whatever its shape. @throws StateError `state-mismatch`. */
export function stateTensor(state: ModuleState, name: string): TensorSource {
  const found = state.tensors.find((tensor) => tensor.name === name);
  return found ?? findTensor(state, name, 0, 0);
}

/** A 1×n tensor of the state as a vector. */
export function vector(graph: Graph, state: ModuleState, name: string): string {
  const source = stateTensor(state, name);
  return graph.weights(name, source, [source.columns]);
}

/** A tensor of the state as a matrix. */
export function matrix(graph: Graph, state: ModuleState, name: string): string {
  return graph.weights(name, stateTensor(state, name));
}

/** x·Φ(x) for gelu, with the exact distribution function. */
export function activate(graph: Graph, name: ActivationName, x: string): string {
  switch (name) {
    case 'tanh':
      return graph.node('Tanh', [x]);
    case 'relu':
      return graph.node('Relu', [x]);
    case 'sigmoid':
      return graph.node('Sigmoid', [x]);
    case 'gelu': {
      const erf = graph.node('Erf', [graph.node('Mul', [x, graph.float(Math.SQRT1_2)])]);
      const half = graph.node('Mul', [x, graph.float(0.5)]);
      return graph.node('Mul', [half, graph.node('Add', [erf, graph.float(1)])]);
    }
  }
}

/** Of the last axis. */
export function layerNorm(graph: Graph, x: string, gain: string, bias: string): string {
  return graph.node('LayerNormalization', [x, gain, bias], { axis: { int: -1 }, epsilon: { float: normEpsilon } });
}

/** Layers `hidden.0.weights` … of a state, batch×width. */
export function denseLayers(
  graph: Graph,
  state: ModuleState,
  input: string,
  { count, activation }: { readonly count: number; readonly activation: ActivationName },
): string {
  let x = input;
  for (let layer = 0; layer < count; layer++) {
    const name = `hidden.${layer}`;
    const weights = matrix(graph, state, `${name}.weights`);
    const bias = vector(graph, state, `${name}.bias`);
    const isNormalized = state.tensors.some((tensor) => tensor.name === `${name}.gain`);
    const shifted = isNormalized
      ? layerNorm(graph, graph.node('MatMul', [x, weights]), vector(graph, state, `${name}.gain`), bias)
      : graph.node('Gemm', [x, weights, bias]);
    x = activate(graph, activation, shifted);
  }
  return x;
}
