/**
 * A graph as a file, or as two: a protobuf message has at most 2 GiB, so that the weights of a larger model lie in a
 * file beside it. Lengths are known before anything is written, so weights are streamed, a block at a time.
 */
import {
  CheckpointError,
  IS_LITTLE_ENDIAN,
  isStorageError,
  type Append,
  type CancellationSignal,
  type CheckpointStorage,
  type StagedFile,
} from '@vastmax/checkpoints';
import { OnnxError } from './errors.ts';
import type { Graph } from './graph.ts';
import { encodeGraph, encodeGraphHead, encodeModel, encodeTensorHead, type TensorPlace } from './model-messages.ts';
import type { OnnxTensor } from './tensors.ts';

/** Of a protobuf message in all languages. */
const maxMessageBytes = 2 ** 31 - 1;
/** Room for what is not weights, by default. */
const defaultLimit = maxMessageBytes - 2 ** 24;
/** Weights of fewer bytes stay in the model: sizes, axes, biases. */
const minExternalBytes = 1024;
/** Offsets in the file of weights, so that a runtime can map them. */
const pageBytes = 4096;

/** How a graph is written. */
export interface WriteModelOptions {
  /**
   * Weights of more bytes than this, all together, go to a file of their own, `NAME.data` beside `NAME`; 2 GiB less
   * 16 MiB unless given, since a protobuf message has at most 2 GiB.
   */
  readonly externalDataLimit?: number;
  /** Stops writing with its reason. */
  readonly signal?: CancellationSignal;
  /** Called after each block; what it throws ends the writing. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

/** Files that were written. */
export interface WrittenModel {
  /** The model first; the file of its weights, if it has one. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** More of the model than its graph. */
export interface ModelProperties {
  readonly graphName: string;
  readonly producerVersion: string;
  /** Strings for `metadata_props`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes the graph to `name`; files of that name are replaced at the end, and stay as they were when anything is thrown.
 * @throws OnnxError `bad-option`, `non-finite`, `too-large`; CheckpointError `write-failed`.
 */
export async function writeModel(
  storage: CheckpointStorage,
  name: string,
  graph: Graph,
  properties: ModelProperties,
  { externalDataLimit = defaultLimit, signal, onProgress }: WriteModelOptions = {},
): Promise<WrittenModel> {
  if (!(externalDataLimit >= 0))
    throw new OnnxError(
      'bad-option',
      `exportOnnx: externalDataLimit is ${externalDataLimit}; a number of bytes is needed`,
    );
  if (!IS_LITTLE_ENDIAN)
    throw new OnnxError('unsupported', 'exportOnnx: this machine is big-endian; only little-endian ones are supported');
  const total = graph.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const places =
    total > externalDataLimit ? placeTensors(graph.tensors, `${name}.data`) : new Map<string, TensorPlace>();
  let done = 0;
  const appendTensor = async (tensor: OnnxTensor, append: Append): Promise<void> => {
    for await (const block of tensor.blocks()) {
      signal?.throwIfAborted();
      await append(block);
      onProgress?.((done += block.length), total);
    }
  };
  const staged: { readonly name: string; readonly file: StagedFile }[] = [];
  try {
    if (places.size > 0) {
      const file = await storage.stage(`${name}.data`, async (append) => {
        let at = 0;
        for (const tensor of graph.tensors) {
          const place = places.get(tensor.name);
          if (place === undefined) continue;
          await append(new Uint8Array(place.offset - at));
          await appendTensor(tensor, append);
          at = place.offset + tensor.bytes;
        }
      });
      staged.push({ name: `${name}.data`, file });
    }
    const model = encodeModel(properties.metadata, properties.producerVersion);
    const ofGraph = encodeGraph(graph, properties.graphName);
    const heads = graph.tensors.map((tensor) => encodeTensorHead(tensor, places.get(tensor.name)));
    const inside = graph.tensors.filter((tensor) => !places.has(tensor.name));
    const graphBytes = [ofGraph, ...heads].reduce(
      (sum, { length }) => sum + length,
      inside.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    if (graphBytes + model.length > maxMessageBytes)
      throw new OnnxError(
        'too-large',
        `exportOnnx: the model has ${graphBytes + model.length} bytes, a protobuf message at most ${maxMessageBytes}; lower externalDataLimit from ${externalDataLimit}`,
      );
    const file = await storage.stage(name, async (append) => {
      await append(model);
      await append(encodeGraphHead(graphBytes));
      await append(ofGraph);
      for (const [at, tensor] of graph.tensors.entries()) {
        await append(heads[at]!);
        if (!places.has(tensor.name)) await appendTensor(tensor, append);
      }
    });
    staged.push({ name, file });
    signal?.throwIfAborted();
    for (const each of staged) await each.file.commit();
    await storage.flush();
  } catch (error) {
    // One that has its name by now is not there to discard any more.
    await Promise.all(staged.map(({ file }) => file.discard().catch(() => undefined)));
    if (!isStorageError(error)) throw error;
    throw new CheckpointError(
      'write-failed',
      `exportOnnx: ${storage.location}/${name} was not written: ${error.message}`,
      {
        cause: error.cause,
      },
    );
  }
  return { files: staged.toReversed().map((each) => ({ name: each.name, bytes: each.file.bytes })) };
}

/** Large tensors one after the other, each at the start of a page. */
function placeTensors(tensors: readonly OnnxTensor[], file: string): Map<string, TensorPlace> {
  const places = new Map<string, TensorPlace>();
  let offset = 0;
  for (const { name, bytes } of tensors) {
    if (bytes < minExternalBytes) continue;
    places.set(name, { file, offset });
    offset = Math.ceil((offset + bytes) / pageBytes) * pageBytes;
  }
  return places;
}
