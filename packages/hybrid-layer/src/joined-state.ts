/** The states of the parts as one: tensors `head.…` and `tail0.…`, configurations beside each other. */
import {
  checkSame,
  checkWholeNumber,
  findTensor,
  StateError,
  type JsonObject,
  type ModuleState,
} from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';

interface Joined {
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

export function joinedState(layer: Joined): ModuleState {
  const { kind, classes, features, headSize, headRate, tailRate, reduction } = layer;
  const tails = layer.tails.map((tail, t) => [tailName(t), tail.state()] as const);
  const parts = [['head', layer.head.state()] as const, ...tails];
  return {
    configuration: {
      kind,
      classes,
      features,
      headSize,
      headRate,
      tailRate,
      reduction,
      ...Object.fromEntries(parts.map(([part, { configuration }]) => [part, configuration])),
    },
    tensors: parts.flatMap(([part, { tensors }]) =>
      tensors.map((tensor) => ({ ...tensor, name: `${part}.${tensor.name}` })),
    ),
  };
}

/** The state of one of the two. @throws StateError `state-mismatch` when there is none. */
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
        name: tensor.name.slice(prefix.length),
        precision: tensor.precision,
        rows: tensor.rows,
        columns: tensor.columns,
        read: (first, count) => tensor.read(first, count),
      })),
  };
}

/**
 * Whether the parts would take the state, as far as can be seen before any is changed: sizes, options and the shapes of
 * the head's tensors, since the tails are restored first and check their own.
 * @throws StateError `state-mismatch`, naming both values.
 */
export function checkJoinedState(layer: Joined, state: ModuleState): void {
  const mine = joinedState(layer).configuration;
  for (const key of ['kind', 'classes', 'features', 'headSize', 'reduction'] as const)
    checkSame('hybrid layer', key, mine[key], state.configuration[key]);
  for (const t of layer.tails.keys()) partOf(state, tailName(t));
  const head = partOf(state, 'head');
  const ownHead = layer.head.state();
  for (const [key, value] of Object.entries(ownHead.configuration)) {
    if (key !== 'steps') checkSame('hybrid layer', `head.${key}`, value, head.configuration[key]);
  }
  checkWholeNumber('hybrid layer', 'head.steps', head.configuration['steps']);
  for (const { name, rows, columns } of ownHead.tensors) findTensor(head, name, rows, columns);
}
