/** A network as an ONNX model: its body, the scores of all classes, and the best of them. */
import { storeFile, type CheckpointStorage } from '@vastmax/checkpoints';
import type { JsonObject } from '@vastmax/linalg-core/state';
import type {
  BagBody,
  DenseBody,
  Network,
  NetworkOptions,
  NgramBody,
  RecurrentBody,
  TransformerBody,
} from '@vastmax/lm-models';
import { addRecurrentBody } from './bodies/recurrent-body.ts';
import { addBagBody, addDenseBody, addNgramBody } from './bodies/simple-bodies.ts';
import { addTransformerBody } from './bodies/transformer-body.ts';
import { OnnxError } from './errors.ts';
import { Graph, type GraphValue } from './graph.ts';
import { opset } from './model-messages.ts';
import { addClassScores } from './output-layers/class-scores.ts';
import { writeModel, type WriteModelOptions, type WrittenModel } from './write-model.ts';

/** How many of the best classes the model gives, what is known of its inputs and classes, and how it is written. */
export interface ExportOnnxOptions extends WriteModelOptions {
  /** How many of the best classes the model gives for each example; 10 unless given, and at most all. */
  readonly top?: number;
  /** Names of the classes, by number; written to `NAME.json` beside the model. */
  readonly classNames?: ArrayLike<string | number>;
  /** Names of the inputs, from the first, where they are not those of the classes. */
  readonly inputNames?: ArrayLike<string>;
  /** How text becomes inputs: the tokenizer, the word that pads, and so on; written to `NAME.json` as it is. */
  readonly text?: JsonObject;
}

/** What was written, and how the model is called. */
export interface ExportedOnnx extends WrittenModel {
  readonly opset: number;
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

/** What an export takes of a network of `createNetwork` or `loadNetwork`, whatever its body. */
export type ExportedNetwork = Pick<Network<never>, 'output' | 'exclusively'> & {
  readonly body: unknown;
  readonly options: { readonly body: object };
};

/**
 * Writes a network as an ONNX file of 32-bit floats (operator set 17), and beside it `NAME.json`, which describes its
 * inputs and outputs and has the names of the classes. Inputs depend on the body:
 *
 * | body | inputs |
 * |---|---|
 * | ngram | `words` int32 batch×n |
 * | bag | `inputs` int32 batch×entries, `weights` float batch×entries |
 * | dense | `vectors` float batch×width |
 * | recurrent, transformer | `words` int32 batch×steps, `lengths` int32 batch |
 *
 * Outputs are `scores`, batch×D, by which classes are ranked, and of the best k `top_scores` and `top_classes` (int32),
 * batch×k; ask the runtime for those that are needed. The weights of a factored layer are multiplied out in blocks, and
 * everything is streamed: about 4 MiB are held, 4 bytes a class for biases, and the matrices of recurrent layers.
 * O(D·d²) for a factored layer, O(D·d) for others.
 * @param name of the file, `model.onnx` for one; the file of weights of a large model is `NAME.data`.
 * @throws OnnxError `unsupported` for a body, a loss or a layer without such a form (a Huffman tree), `bad-option`,
 * `non-finite`, `too-large`; OutputLayerError `busy`; CheckpointError `write-failed`. Files of those names stay then.
 */
export function exportOnnx(
  network: ExportedNetwork,
  storage: CheckpointStorage,
  name: string,
  options: ExportOnnxOptions = {},
): Promise<ExportedOnnx> {
  const { top = 10, classNames, inputNames, text, ...writing } = options;
  if (!Number.isSafeInteger(top) || top < 1)
    throw new OnnxError('bad-option', `exportOnnx: top is ${top}; a whole number of at least 1 is needed`);
  return network.exclusively('exportOnnx', async () => {
    const { output } = network;
    const graph = new Graph();
    const scores = await addClassScores(graph, output, await addBody(graph, network));
    addOutputs(graph, scores, output.classes, Math.min(top, output.classes));
    const body = bodyKind(network);
    const properties = {
      graphName: 'network',
      producerVersion: '1',
      metadata: { body, output_layer: output.kind, classes: String(output.classes) },
    };
    const written = await writeModel(storage, name, graph, properties, writing);
    const { inputs, outputs } = graph;
    const description = {
      format: 'vastmax-onnx',
      opset,
      body,
      outputLayer: output.kind,
      isNormalized: output.isNormalized,
      inputs,
      outputs,
      ...(classNames === undefined ? {} : { classes: Array.from(classNames) }),
      ...(inputNames === undefined ? {} : { inputNames: Array.from(inputNames) }),
      ...(text === undefined ? {} : { text }),
    };
    const json = await storeFile(
      storage,
      `${name}.json`,
      (append) => append(new TextEncoder().encode(`${JSON.stringify(description)}\n`)),
      'exportOnnx',
    );
    return { files: [...written.files, { name: `${name}.json`, bytes: json.bytes }], opset, inputs, outputs };
  });
}

function bodyKind({ options }: ExportedNetwork): string {
  const { kind } = options.body as { readonly kind?: unknown };
  return typeof kind === 'string' ? kind : 'own';
}

/** @returns the activations, batch×features. @throws OnnxError `unsupported`. */
function addBody(graph: Graph, network: ExportedNetwork): string | Promise<string> {
  const { body } = network;
  const kind = bodyKind(network) as NetworkOptions['body']['kind'];
  switch (kind) {
    case 'ngram':
      return addNgramBody(graph, body as NgramBody);
    case 'bag':
      return addBagBody(graph, body as BagBody);
    case 'dense':
      return addDenseBody(graph, body as DenseBody);
    case 'recurrent':
      return addRecurrentBody(graph, body as RecurrentBody);
    case 'transformer':
      return addTransformerBody(graph, body as TransformerBody);
    default:
      throw new OnnxError(
        'unsupported',
        `exportOnnx: the body ${String(kind)} has no form in ONNX; the bodies ngram, bag, dense, recurrent and transformer do`,
      );
  }
}

function addOutputs(graph: Graph, scores: string, classes: number, top: number): void {
  const [best, places] = graph.nodePair('TopK', [scores, graph.int64([top])], { axis: { int: 1 } });
  graph.output(scores, {
    name: 'scores',
    type: 'float',
    shape: ['batch', classes],
    description: 'the number by which the classes of an example are ranked, of each class',
  });
  graph.output(best, {
    name: 'top_scores',
    type: 'float',
    shape: ['batch', top],
    description: `the ${top} best scores, the best first`,
  });
  graph.output(graph.node('Cast', [places], { to: { int: 6 } }), {
    name: 'top_classes',
    type: 'int32',
    shape: ['batch', top],
    description: 'the numbers of their classes',
  });
}
