/**
 * The scores of all classes, batch×D, by the kind of the output layer: what `scores` of the layer gives. The dense
 * layers are one product; of the trees all levels are computed, which costs as much as a dense layer. A Huffman tree has
 * no such form: the paths of all classes, D·log₂D numbers an example, would have to be gathered.
 */
import type { HybridOutputLayer } from '@vastmax/hybrid-layer';
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import type { FactoredOutputLayer } from '@vastmax/spherical-losses';
import { stateTensor } from '../bodies/dense-layers.ts';
import { OnnxError } from '../errors.ts';
import type { Graph } from '../graph.ts';
import { addAdaptiveScores, addClusterScores, addTreeScores, columns, concat } from './tree-scores.ts';
import { addProduct, computedRows, denseRowsOf } from './class-rows.ts';

const exportable =
  'factored, hybrid, full, hierarchical, adaptive, sampled, nce, negative, rf and quadratic can be exported';

/**
 * @param hidden batch×d.
 * @returns batch×D.
 * @throws OnnxError `unsupported`.
 */
export async function addClassScores(graph: Graph, output: OutputLayer, hidden: string): Promise<string> {
  await output.confirmSteps?.();
  switch (output.kind) {
    case 'factored':
      return factoredScores(graph, output, hidden);
    case 'hybrid':
      return hybridScores(graph, output as HybridOutputLayer, hidden);
    case 'full-softmax':
    case 'sampled-softmax':
    case 'noise-contrastive':
    case 'negative-sampling':
      return softmaxScores(graph, output, hidden);
    case 'hierarchical-softmax':
      return addClusterScores(graph, output, hidden);
    case 'adaptive-softmax':
      return addAdaptiveScores(graph, output, hidden);
    case 'tree-softmax':
      return addTreeScores(graph, output, hidden);
    default:
      throw new OnnxError(
        'unsupported',
        `exportOnnx: the output layer ${output.kind} has no dense score for each class in ONNX; ${exportable}`,
      );
  }
}

function isFactored(layer: OutputLayer): layer is FactoredOutputLayer {
  return 'denseRows' in layer && 'loss' in layer;
}

function factoredScores(graph: Graph, layer: OutputLayer, hidden: string): string {
  if (!isFactored(layer)) throw acrossRanks(layer.kind);
  const { loss } = layer;
  const outputs = addProduct(graph, 'classes', hidden, denseRowsOf(layer), layer.features);
  if (loss.score === undefined) return outputs;
  const square = (): string => graph.node('Mul', [outputs, outputs]);
  switch (loss.name) {
    case 'spherical-softmax':
      return square();
    case 'spherical-softmax-with-prior':
      return graph.node('Add', [square(), classConstants(graph, layer.state())]);
    case 'taylor-softmax':
      return graph.node('Add', [outputs, graph.node('Mul', [square(), graph.float(0.5)])]);
    default:
      throw new OnnxError(
        'unsupported',
        `exportOnnx: the loss ${loss.name} orders classes by an expression of its own; losses that order them by their outputs, spherical-softmax and taylor-softmax can be exported`,
      );
  }
}

function classConstants(graph: Graph, state: ModuleState): string {
  const constants = stateTensor(state, 'class_constants');
  return graph.weights(constants.name, constants, [constants.rows]);
}

/** Of a normalised loss: log of what the probabilities are proportional to, less the log of its sum. */
function factoredLogProbabilities(graph: Graph, layer: FactoredOutputLayer, hidden: string): string {
  const { name, options } = layer.loss;
  const scores = factoredScores(graph, layer, hidden);
  const shift = name === 'spherical-softmax' ? options['epsilon']! : name === 'taylor-softmax' ? 1 : 0;
  const unnormalized = shift === 0 ? scores : graph.node('Add', [scores, graph.float(shift)]);
  const sum = graph.node('ReduceSum', [unnormalized, graph.int64([1])]);
  return graph.node('Sub', [graph.node('Log', [unnormalized]), graph.node('Log', [sum])]);
}

/** The logits of the head, and for each tail its logit plus log p(c | tail). */
async function hybridScores(graph: Graph, layer: HybridOutputLayer, hidden: string): Promise<string> {
  const { head, tails, headSize } = layer;
  const logits = await addClassScores(graph, head, hidden);
  const parts = [columns(graph, logits, 0, headSize)];
  for (const [t, tail] of tails.entries()) {
    if (tail.classes === 0) continue;
    const within = isFactored(tail)
      ? factoredLogProbabilities(graph, tail, hidden)
      : addTreeScores(graph, tail, hidden);
    parts.push(graph.node('Add', [within, columns(graph, logits, headSize + t, headSize + t + 1)]));
  }
  return concat(graph, parts);
}

function softmaxScores(graph: Graph, layer: OutputLayer, hidden: string): string {
  const state = layer.state();
  // Of a sampled softmax whose logits are cosines.
  if (typeof state.configuration['temperature'] === 'number') return cosineScores(graph, layer, hidden);
  const rows = stateTensor(state, 'classes');
  if (rows.rows === layer.classes) return addProduct(graph, 'classes', hidden, rows, layer.features);
  throw acrossRanks(layer.kind);
}

function acrossRanks(kind: string): OnnxError {
  return new OnnxError(
    'unsupported',
    `exportOnnx: the classes of this ${kind} layer are on several ranks; save it and load it in one process`,
  );
}

/** τ·cos(h, w): the class vectors have length τ, and h is divided by its own. */
function cosineScores(graph: Graph, layer: OutputLayer, hidden: string): string {
  const squares = graph.node('ReduceSumSquare', [hidden], { axes: { ints: [1] }, keepdims: { int: 1 } });
  // Added as logit-geometry.ts of softmax-losses does.
  const length = graph.node('Sqrt', [graph.node('Add', [squares, graph.float(1e-16)])]);
  const vectors = computedRows('classes', layer, layer.features, (first, out) => {
    layer.classVectors(first, out);
  });
  return addProduct(graph, 'classes', graph.node('Div', [hidden, length]), vectors, layer.features);
}
