/**
 * The state of a hybrid layer, joined from the states of its parts: tensors are named `head.…` and `tail0.…`, and the
 * configuration has one key for each part.
 */
import {
  checkSame,
  checkWholeNumber,
  findTensor,
  StateError,
  type JsonObject,
  type ModuleState,
} from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';

interface PartsOfHybridLayer {
  readonly kind: string;
  readonly classes: number;
  readonly features: number;
  readonly headSize: number;
  readonly headRate: number;
  readonly tailRate: number;
  readonly reduction: string;
  readonly head: OutputLayer;
  readonly tails: readonly OutputLayer[];
}

export function tailName(tail: number): string {
  return `tail${tail}`;
}

export function joinedState(layer: PartsOfHybridLayer): ModuleState {
  const { kind, classes, features, headSize, headRate, tailRate, reduction } = layer;
  const tails = layer.tails.map((tail, t) => [tailName(t), tail.state()] as const);
  return joinParts({ kind, classes, features, headSize, headRate, tailRate, reduction }, [
    ['head', layer.head.state()],
    ...tails,
  ]);
}

/** @param own the configuration without those of the parts. */
export function joinParts(own: JsonObject, parts: readonly (readonly [string, ModuleState])[]): ModuleState {
  return {
    configuration: { ...own, ...Object.fromEntries(parts.map(([part, { configuration }]) => [part, configuration])) },
    tensors: parts.flatMap(([part, { tensors }]) =>
      tensors.map((tensor) => ({ ...tensor, name: `${part}.${tensor.name}` })),
    ),
  };
}

/** The names of the parts of a state. */
export function partNamesOf({ configuration }: ModuleState): string[] {
  return Object.keys(configuration).filter((key) => key === 'head' || /^tail\d+$/.test(key));
}

/** The state of one part. @throws StateError `state-mismatch` when the state has no such part. */
export function partOf({ configuration, tensors }: ModuleState, part: string): ModuleState {
  const own = configuration[part];
  if (typeof own !== 'object' || own === null || Array.isArray(own)) {
    throw new StateError(
      'state-mismatch',
      `hybrid layer: '${part}' in the state is ${JSON.stringify(own)}, expected the state of a layer`,
    );
  }
  const prefix = `${part}.`;
  return {
    configuration: own as JsonObject,
    tensors: tensors
      .filter(({ name }) => name.startsWith(prefix))
      .map((tensor) => ({
        ...tensor,
        name: tensor.name.slice(prefix.length),
        read: (first, count, out) => tensor.read(first, count, out),
      })),
  };
}

/**
 * Checks the state before any part is changed: sizes, options and the shapes of the head's tensors. The tails are
 * restored first and check their own tensors.
 * @throws StateError `state-mismatch`, naming both values.
 */
export function checkJoinedState(layer: PartsOfHybridLayer, state: ModuleState): void {
  const expected = joinedState(layer).configuration;
  for (const key of ['kind', 'classes', 'features', 'headSize', 'reduction'] as const)
    checkSame('hybrid layer', key, expected[key], state.configuration[key]);
  for (const t of layer.tails.keys()) partOf(state, tailName(t));
  const head = partOf(state, 'head');
  const ownHead = layer.head.state();
  for (const [key, value] of Object.entries(ownHead.configuration)) {
    if (key !== 'steps') checkSame('hybrid layer', `head.${key}`, value, head.configuration[key]);
  }
  checkWholeNumber('hybrid layer', 'head.steps', head.configuration['steps']);
  for (const { name, rows, columns } of ownHead.tensors) findTensor(head, name, rows, columns);
}
