import type { Communicator } from '@vastmax/collectives';
import { Workspace, type Backend } from '@vastmax/linalg-core';
import type { FullSoftmaxOptions } from '@vastmax/softmax-losses';
import { checkLayerOptions, ClassTable, weightOptions } from '@vastmax/softmax-losses/layer-parts';
import { ReplicatedSoftmax } from '../subtrees/replicated-softmax.ts';
import type { SubtreeParts } from '../subtrees/subtree-parts.ts';

const kind = 'full-softmax';

/**
 * The head of a hybrid layer: a full softmax whose rows are all at the top, on every rank. Scores are logits, as in one
 * process.
 */
export function createHeadParts(
  communicator: Communicator,
  backend: Backend,
  options: FullSoftmaxOptions,
): SubtreeParts {
  checkLayerOptions(kind, options);
  const { classes, features, initialBiases } = options;
  const weights = weightOptions(options);
  const workspace = new Workspace(backend);
  const table = new ClassTable(
    backend,
    { name: 'classes', rows: classes, features, ...weights, ...(initialBiases === undefined ? {} : { initialBiases }) },
    workspace,
  );
  const top = new ReplicatedSoftmax(communicator, table, workspace);
  return {
    kind,
    classes,
    features,
    workspace,
    top,
    topRowOf: (target) => target,
    classScores: (hidden, targets, out) => {
      table.rowScores(hidden, targets, out);
    },
    scores: (hidden, firstClass, out) => {
      table.rangeScores(hidden, firstClass, out);
    },
    classVectors: (firstClass, out) => {
      table.vectors(firstClass, out);
    },
    configuration: () => ({ bias: weights.bias, labelSmoothing: 0, ignoreIndex: null, hasClassWeights: false }),
    [Symbol.dispose]: () => {
      top[Symbol.dispose]();
    },
  };
}
