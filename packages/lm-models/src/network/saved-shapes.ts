/**
 * Whether a checkpoint holds the tensors of the network that its configuration describes: compared before anything of
 * their sizes is made, so that a small file cannot ask for much memory. The shapes follow from the configuration, and
 * the file has been found to be as long as its tensors say.
 */
import { findTensor, StateError, type JsonObject, type ModuleState } from '@vastmax/linalg-core/state';
import { ModelError } from '../model-error.ts';
import { outputLayerShapes, unstoredWork, type TensorShape } from '../output-layers/saved-layer-shapes.ts';
import { unknownBody, type BodyChoice, type NetworkOptions, type TransformerChoice } from './network-options.ts';
import type { NetworkSizes, SavedModel } from './network.ts';

/** Beside what is stored, a network may compute so many numbers, or so many operations, when it is created. */
const freeNumbers = 2 ** 22;
const freeOperations = 2 ** 28;

/**
 * The body, the classes and the output layer of a checkpoint against `options`. O(tensors), and O(D) for layers whose
 * parts are chosen by the frequencies; nothing is read of the tensors. Layers that this package does not know are left
 * to whoever makes them.
 * @throws ModelError or StateError `state-mismatch` with the tensor and both shapes.
 */
export function checkSavedShapes(
  saved: Pick<SavedModel, 'module'>,
  { inputs, frequencies }: NetworkSizes,
  options: NetworkOptions,
): void {
  const { shapes, features, computed = 0 } = bodyShapes(options.body, inputs);
  const sizes = { features, frequencies };
  const expected = outputLayerShapes(sizes, options.output);
  checkShapes(saved.module('body'), shapes);
  const ofBody = shapes.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  if (computed > freeNumbers + ofBody) {
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's body needs ${computed} numbers that are not stored; one of ${ofBody} numbers may need ${freeNumbers + ofBody}`,
    );
  }
  if (expected === undefined) return;
  const output = saved.module('output');
  checkShapes(
    output,
    expected.map((shape) => ownPart(output, shape)),
  );
  const stored = expected.reduce((sum, { rows, columns }) => sum + rows * columns, ofBody);
  const { numbers, operations } = unstoredWork(sizes, options.output);
  if (numbers > freeNumbers + stored || operations > freeOperations + 64 * stored) {
    throw new ModelError(
      'state-mismatch',
      `the checkpoint's output layer needs ${numbers} numbers that are not stored, and ${operations} operations for them; a checkpoint of ${stored} numbers may need ${freeNumbers + stored} and ${freeOperations + 64 * stored}`,
    );
  }
}

/** What has a row for each class, in layers that ranks share. */
const classTensor = /^(?:rows|generations|class_constants|classes|classes\.moment\.\d)$/;

/** How many inputs the body of a checkpoint has a row for; undefined where it has no body of this package. */
export function savedInputs(
  saved: Pick<SavedModel, 'module'> & { readonly moduleNames: readonly string[] },
): number | undefined {
  if (!saved.moduleNames.includes('body')) return undefined;
  return saved.module('body').tensors.find(({ name }) => name === 'embeddings')?.rows;
}

function checkShapes(state: ModuleState, shapes: readonly TensorShape[]): void {
  for (const { name, rows, columns } of shapes) findTensor(state, name, rows, columns);
}

/** Of one rank of several that saved their classes apart: its rows of a tensor of which it has a part. */
function ownPart({ configuration }: Pick<ModuleState, 'configuration'>, shape: TensorShape): TensorShape {
  const { kind, shard } = configuration;
  if (kind === 'hybrid') {
    const [part = '', ...rest] = shape.name.split('.');
    const own = configuration[part];
    if (typeof own !== 'object' || own === null || Array.isArray(own)) return shape;
    return { ...ownPart({ configuration: own as JsonObject }, { ...shape, name: rest.join('.') }), name: shape.name };
  }
  if (shard === undefined) return shape;
  const { rank, size, groups } = (shard ?? {}) as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(rank) || !Number.isSafeInteger(size) || Number(rank) < 0 || Number(rank) >= Number(size))
    throw new StateError('state-mismatch', 'the state of the output layer is a shard without a rank and a size');
  if (typeof groups === 'object' && groups !== null) {
    const starts = Object.entries(groups).find(([table]) => `${shape.name}.`.startsWith(`${table}.`))?.[1] as unknown;
    return Array.isArray(starts) ? { ...shape, rows: rowsInGroups(starts, Number(rank), Number(size)) } : shape;
  }
  if (!classTensor.test(shape.name)) return shape;
  return { ...shape, rows: Math.ceil((shape.rows - Number(rank)) / Number(size)) };
}

/** Of groups of rows that are dealt out in turn: how many rows a rank has. @param starts the first row of each, and the end. */
function rowsInGroups(starts: readonly unknown[], rank: number, size: number): number {
  let rows = 0;
  for (let group = rank; group + 1 < starts.length; group += size)
    rows += Number(starts[group + 1]) - Number(starts[group]);
  return rows;
}

interface BodyShapes {
  readonly shapes: readonly TensorShape[];
  /** Width of what the body gives to the output layer. */
  readonly features: number;
  /** Numbers that it computes when it is created. */
  readonly computed?: number;
}

function bodyShapes(body: BodyChoice, inputs: number): BodyShapes {
  if (body.kind === 'dense') return withLayers([], inputs, body.hidden ?? [], body.layerNorm ?? false);
  const { embedding } = body;
  const hidden = 'hidden' in body ? (body.hidden ?? []) : [];
  const embeddings = { name: 'embeddings', rows: inputs, columns: embedding };
  switch (body.kind) {
    case 'ngram':
      return withLayers([embeddings], body.order * embedding, hidden);
    case 'bag': {
      const hasBias = (body.activation ?? 'identity') !== 'identity';
      const bias = hasBias ? [{ name: 'bias', rows: 1, columns: embedding }] : [];
      return withLayers([embeddings, ...bias], embedding, hidden);
    }
    case 'recurrent': {
      const gates = body.cell === 'lstm' ? 4 : 3;
      const layers = hidden.flatMap((width, layer) => [
        { name: `layer.${layer}.inputWeights`, rows: hidden[layer - 1] ?? embedding, columns: gates * width },
        { name: `layer.${layer}.stateWeights`, rows: width, columns: gates * width },
        { name: `layer.${layer}.bias`, rows: 1, columns: gates * width },
        ...(body.cell === 'lstm' ? [] : [{ name: `layer.${layer}.candidateBias`, rows: 1, columns: width }]),
      ]);
      return { shapes: [embeddings, ...layers], features: hidden.at(-1) ?? embedding };
    }
    case 'transformer':
      return {
        shapes: [embeddings, ...transformerShapes(body)],
        features: embedding,
        computed: body.positions === 'learned' ? 0 : 2 * body.context * embedding,
      };
    case 'fold-in':
      return { shapes: [embeddings, { name: 'base', rows: 1, columns: embedding }], features: embedding };
    default:
      throw unknownBody(body);
  }
}

function transformerShapes(body: TransformerChoice): readonly TensorShape[] {
  const { embedding, layers, context, activation, positions, norm, feedForward = 4 * embedding } = body;
  const shape = (name: string, rows: number, columns: number): TensorShape => ({ name, rows, columns });
  const normShapes = (name: string): TensorShape[] => [
    shape(`${name}.gain`, 1, embedding),
    ...(norm === 'rms' ? [] : [shape(`${name}.bias`, 1, embedding)]),
  ];
  return [
    ...(positions === 'learned' ? [shape('positions', context, embedding)] : []),
    ...Array.from({ length: layers }, (_, layer) => [
      ...normShapes(`layer.${layer}.attentionNorm`),
      ...['query', 'key', 'value', 'output'].map((part) => shape(`layer.${layer}.${part}`, embedding, embedding)),
      ...normShapes(`layer.${layer}.feedForwardNorm`),
      ...(activation === 'swiglu' ? ['up', 'gate'] : ['up']).map((part) =>
        shape(`layer.${layer}.${part}`, embedding, feedForward),
      ),
      shape(`layer.${layer}.down`, feedForward, embedding),
    ]).flat(),
    ...normShapes('norm'),
  ];
}

function withLayers(
  first: readonly TensorShape[],
  inputs: number,
  widths: readonly number[],
  layerNorm = false,
): BodyShapes {
  const layers = widths.flatMap((width, layer) => [
    { name: `hidden.${layer}.weights`, rows: widths[layer - 1] ?? inputs, columns: width },
    { name: `hidden.${layer}.bias`, rows: 1, columns: width },
    ...(layerNorm ? [{ name: `hidden.${layer}.gain`, rows: 1, columns: width }] : []),
  ]);
  return { shapes: [...first, ...layers], features: widths.at(-1) ?? inputs };
}
