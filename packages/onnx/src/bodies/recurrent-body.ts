/**
 * LSTM and GRU layers by the operators of ONNX, whose gates are in another order, and whose weights are transposed. A
 * sequence begins with a state of zeros, and the activations are those after its last word.
 */
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { RecurrentBody } from '@vastmax/lm-models';
import type { Graph } from '../graph.ts';
import { matrix, stateTensor } from './dense-layers.ts';
import { addSequenceInputs } from './sequence-inputs.ts';

/** The place here of each gate of the operator: i o f c of ours i f o c, and z r h of ours r z h. */
const gates = { lstm: [0, 2, 1, 3], gru: [1, 0, 2] } as const;

/** Inputs `words` and `lengths`. */
export async function addRecurrentBody(graph: Graph, body: RecurrentBody): Promise<string> {
  const { cell, hidden } = body.options;
  const state = body.state();
  const { words, lengths } = addSequenceInputs(graph, 'steps');
  const vectors = graph.node('Gather', [matrix(graph, state, 'embeddings'), words]);
  // steps×batch×width, as the operators want it.
  let x = graph.node('Transpose', [vectors], { perm: { ints: [1, 0, 2] } });
  let last = '';
  for (const [layer, width] of hidden.entries()) {
    const name = `layer.${layer}`;
    const weights = [
      await gateRows(graph, stateTensor(state, `${name}.inputWeights`), cell),
      await gateRows(graph, stateTensor(state, `${name}.stateWeights`), cell),
      await gateBiases(graph, state, name, cell, width),
    ];
    const [outputs, after] = graph.nodePair(cell.toUpperCase(), [x, ...weights, lengths], {
      hidden_size: { int: width },
      ...(cell === 'gru' ? { linear_before_reset: { int: 1 } } : {}),
    });
    // steps×1×batch×width; the axis of directions goes.
    x = graph.node('Squeeze', [outputs, graph.int64([1])]);
    last = graph.node('Squeeze', [after, graph.int64([0])]);
  }
  return last;
}

type Cell = RecurrentBody['options']['cell'];

/** n×(gates·h) as 1×(gates·h)×n. O(numbers), all of them in memory. */
async function gateRows(graph: Graph, source: TensorSource, cell: Cell): Promise<string> {
  const { rows, columns } = source;
  const values = (await source.read(0, rows)).slice(0, rows * columns);
  const order = gates[cell];
  const width = columns / order.length;
  const out = new Float32Array(rows * columns);
  for (const [gate, own] of order.entries())
    for (let unit = 0; unit < width; unit++)
      for (let i = 0; i < rows; i++) out[(gate * width + unit) * rows + i] = values[i * columns + own * width + unit]!;
  return graph.values(source.name, out, [1, columns, rows]);
}

/** The biases of the inputs and then of the state, 1×(2·gates·h); of the state only a GRU's candidate has one. */
async function gateBiases(graph: Graph, state: ModuleState, name: string, cell: Cell, width: number): Promise<string> {
  const order = gates[cell];
  const own = (await stateTensor(state, `${name}.bias`).read(0, 1)).slice();
  const out = new Float32Array(2 * order.length * width);
  for (const [gate, place] of order.entries()) out.set(own.subarray(place * width, (place + 1) * width), gate * width);
  if (cell === 'gru')
    out.set((await stateTensor(state, `${name}.candidateBias`).read(0, 1)).subarray(0, width), 5 * width);
  return graph.values(`${name}.bias`, out, [1, out.length]);
}
