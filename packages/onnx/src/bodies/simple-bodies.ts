/** Bodies without order or with a fixed one: n-gram, bag of weighted inputs, and dense vectors. */
import type { BagBody, DenseBody, NgramBody } from '@vastmax/lm-models';
import type { Graph } from '../graph.ts';
import { activate, denseLayers, matrix, vector } from './dense-layers.ts';

/** Input `words`: batch×n, the word before the predicted one last. */
export function addNgramBody(graph: Graph, body: NgramBody): string {
  const { order, embedding, hidden, activation } = body.options;
  const state = body.state();
  const words = graph.input({
    name: 'words',
    type: 'int32',
    shape: ['batch', order],
    description: `the numbers of the ${order} words before, the last one last`,
  });
  const vectors = graph.node('Gather', [matrix(graph, state, 'embeddings'), words]);
  const joined = graph.node('Reshape', [vectors, graph.int64([-1, order * embedding])]);
  return denseLayers(graph, state, joined, { count: hidden.length, activation });
}

/**
 * Inputs `inputs` and `weights`: batch×entries, padded with weights of 0, whose input may be any. The pooling is part of
 * the graph: weights are what the rows of a training file have, 1 for a word.
 */
export function addBagBody(graph: Graph, body: BagBody): string {
  const { pooling, activation, hidden } = body.options;
  const state = body.state();
  const inputs = graph.input({
    name: 'inputs',
    type: 'int32',
    shape: ['batch', 'entries'],
    description: 'the numbers of the inputs of each example; 0 where the weight is 0',
  });
  const given = graph.input({
    name: 'weights',
    type: 'float',
    shape: ['batch', 'entries'],
    description: 'the weight of each input, 1 where they have none, and 0 after the last input of a short example',
  });
  const weights = graph.node('Unsqueeze', [pool(graph, pooling, given), graph.int64([1])]);
  const vectors = graph.node('Gather', [matrix(graph, state, 'embeddings'), inputs]);
  const sum = graph.node('Squeeze', [graph.node('MatMul', [weights, vectors]), graph.int64([1])]);
  const x =
    activation === 'identity'
      ? sum
      : activate(graph, activation, graph.node('Add', [sum, vector(graph, state, 'bias')]));
  return denseLayers(graph, state, x, {
    count: hidden.length,
    activation: activation === 'identity' ? 'tanh' : activation,
  });
}

/** v, v/Σ|v| or v/‖v‖; a row of zeros stays. */
function pool(graph: Graph, pooling: BagBody['options']['pooling'], weights: string): string {
  if (pooling === 'sum') return weights;
  const norm = graph.node(pooling === 'mean' ? 'ReduceL1' : 'ReduceL2', [weights], {
    axes: { ints: [1] },
    keepdims: { int: 1 },
  });
  const isPositive = graph.node('Greater', [norm, graph.float(0)]);
  return graph.node('Div', [weights, graph.node('Where', [isPositive, norm, graph.float(1)])]);
}

/** Input `vectors`: batch×width. */
export function addDenseBody(graph: Graph, body: DenseBody): string {
  const { inputs, hidden, activation, inputScale } = body.options;
  const vectors = graph.input({
    name: 'vectors',
    type: 'float',
    shape: ['batch', inputs],
    description: 'the vectors that an encoder has made, as in training',
  });
  const x = inputScale === 1 ? vectors : graph.node('Mul', [vectors, graph.float(1 / inputScale)]);
  return denseLayers(graph, body.state(), x, { count: hidden.length, activation });
}
