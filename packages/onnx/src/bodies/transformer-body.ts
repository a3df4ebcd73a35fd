/**
 * The pre-norm decoder, with causal attention over whole sequences. Sequences are padded at their ends, which no
 * position before the end sees, so that there is no mask but the causal one.
 */
import type { ModuleState } from '@vastmax/linalg-core/state';
import type { TransformerBody } from '@vastmax/lm-models';
import type { Graph } from '../graph.ts';
import { activate, layerNorm, matrix, normEpsilon, vector } from './dense-layers.ts';
import { addSequenceInputs } from './sequence-inputs.ts';

type Options = TransformerBody['options'];

/** What all layers share. */
interface Decoder {
  readonly graph: Graph;
  readonly state: ModuleState;
  readonly options: Options;
  /** steps×steps: whether a position sees another. */
  readonly sees: string;
  /** Rotary positions of batch×heads×steps×width. */
  turn(x: string): string;
}

/** Inputs `words` and `lengths`; sequences of at most as many words as the model's context. */
export function addTransformerBody(graph: Graph, body: TransformerBody): string {
  const { options } = body;
  const state = body.state();
  const { words, lengths } = addSequenceInputs(graph, 'steps');
  const steps = graph.node('Squeeze', [graph.node('Shape', [words], { start: { int: 1 }, end: { int: 2 } })]);
  const positions = graph.node('Range', [graph.int64([0], []), steps, graph.int64([1], [])]);
  const sees = graph.node('LessOrEqual', [
    graph.node('Unsqueeze', [positions, graph.int64([0])]),
    graph.node('Unsqueeze', [positions, graph.int64([1])]),
  ]);
  const decoder: Decoder = { graph, state, options, sees, turn: rotation(graph, options, positions) };
  let x = graph.node('Gather', [matrix(graph, state, 'embeddings'), words]);
  if (options.positions === 'learned')
    x = graph.node('Add', [x, graph.node('Gather', [matrix(graph, state, 'positions'), positions])]);
  for (let layer = 0; layer < options.layers; layer++) {
    x = graph.node('Add', [x, attend(decoder, `layer.${layer}`, x)]);
    x = graph.node('Add', [x, feedForward(decoder, `layer.${layer}`, x)]);
  }
  const last = graph.node('Sub', [graph.node('Cast', [lengths], { to: { int: 7 } }), graph.int64([1], [])]);
  const places = graph.node('Unsqueeze', [last, graph.int64([1])]);
  return norm(decoder, 'norm', graph.node('GatherND', [x, places], { batch_dims: { int: 1 } }));
}

function norm({ graph, state, options }: Decoder, name: string, x: string): string {
  const gain = vector(graph, state, `${name}.gain`);
  if (options.norm === 'layer') return layerNorm(graph, x, gain, vector(graph, state, `${name}.bias`));
  const mean = graph.node('ReduceMean', [graph.node('Mul', [x, x])], { axes: { ints: [-1] }, keepdims: { int: 1 } });
  const root = graph.node('Sqrt', [graph.node('Add', [mean, graph.float(normEpsilon)])]);
  return graph.node('Mul', [graph.node('Div', [x, root]), gain]);
}

function attend(decoder: Decoder, name: string, x: string): string {
  const { graph, state, options, sees, turn } = decoder;
  const { embedding, heads } = options;
  const width = embedding / heads;
  const normalized = norm(decoder, `${name}.attentionNorm`, x);
  const toHeads = (part: string): string => {
    const product = graph.node('MatMul', [normalized, matrix(graph, state, `${name}.${part}`)]);
    const split = graph.node('Reshape', [product, graph.int64([0, 0, heads, width])]);
    return graph.node('Transpose', [split], { perm: { ints: [0, 2, 1, 3] } });
  };
  const query = turn(toHeads('query'));
  const key = graph.node('Transpose', [turn(toHeads('key'))], { perm: { ints: [0, 1, 3, 2] } });
  const products = graph.node('Mul', [graph.node('MatMul', [query, key]), graph.float(1 / Math.sqrt(width))]);
  const scores = graph.node('Where', [sees, products, graph.float(-1e30)]);
  const weights = graph.node('Softmax', [scores], { axis: { int: -1 } });
  const values = graph.node('MatMul', [weights, toHeads('value')]);
  const joined = graph.node('Transpose', [values], { perm: { ints: [0, 2, 1, 3] } });
  const flat = graph.node('Reshape', [joined, graph.int64([0, 0, embedding])]);
  return graph.node('MatMul', [flat, matrix(graph, state, `${name}.output`)]);
}

function feedForward(decoder: Decoder, name: string, x: string): string {
  const { graph, state, options } = decoder;
  const normalized = norm(decoder, `${name}.feedForwardNorm`, x);
  const product = (part: string): string => graph.node('MatMul', [normalized, matrix(graph, state, `${name}.${part}`)]);
  const up = product('up');
  const down = matrix(graph, state, `${name}.down`);
  if (options.activation !== 'swiglu') return graph.node('MatMul', [activate(graph, options.activation, up), down]);
  const gate = product('gate');
  const open = graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]);
  return graph.node('MatMul', [graph.node('Mul', [open, up]), down]);
}

/** x ∘ cos + swap(x) ∘ sin for rotary positions, where swap exchanges the halves of a head; x itself for others. */
function rotation(
  graph: Graph,
  { embedding, heads, context, positions: kind }: Options,
  positions: string,
): Decoder['turn'] {
  if (kind !== 'rotary') return (x) => x;
  const width = embedding / heads;
  const half = width / 2;
  const table = (name: string, valueOf: (angle: number, i: number) => number): string => {
    const values = Float32Array.from({ length: context * width }, (_, at) => {
      const i = at % width;
      return valueOf(Math.floor(at / width) * 10_000 ** -((i % half) / half), i);
    });
    return graph.node('Gather', [graph.values(name, values, [context, width]), positions]);
  };
  const cosines = table('cosines', Math.cos);
  const sines = table('sines', (angle, i) => (i < half ? -1 : 1) * Math.sin(angle));
  return (x) => {
    const [first, second] = graph.nodePair('Split', [x], { axis: { int: -1 } });
    const swapped = graph.node('Concat', [second, first], { axis: { int: -1 } });
    return graph.node('Add', [graph.node('Mul', [x, cosines]), graph.node('Mul', [swapped, sines])]);
  };
}
