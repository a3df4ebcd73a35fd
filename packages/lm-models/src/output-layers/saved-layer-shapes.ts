/**
 * The tensors that an output layer of a choice has in a checkpoint, without those that only training brings (the
 * transforms of the factored layer). A test compares them with those of real layers.
 */
import type { TensorSource } from '@vastmax/linalg-core/state';
import { chooseHybridSizes } from '@vastmax/hybrid-layer';
import { balancedCutoffs, treeTables } from '@vastmax/softmax-losses';
import { createLoss } from './factored-layers.ts';
import type {
  AnySoftmaxChoice,
  HybridChoice,
  KernelSampledChoice,
  OutputLayerChoice,
  SampledChoice,
} from './output-layer-choice.ts';
import type { OutputLayerSizes } from './output-layer-entry.ts';
import { createRule } from './softmax-layers.ts';

export type TensorShape = Pick<TensorSource, 'name' | 'rows' | 'columns'>;

/**
 * O(1), or O(D) where the parts are chosen by the frequencies.
 * @returns undefined for a kind of layer that is none of this package's.
 * @throws ModelError `bad-option` for an unknown loss or update rule.
 */
export function outputLayerShapes(
  sizes: OutputLayerSizes,
  choice: OutputLayerChoice,
): readonly TensorShape[] | undefined {
  const { features, frequencies } = sizes;
  const classes = frequencies.length;
  const width = features + 1;
  switch (choice.kind) {
    case 'factored':
      createLoss(choice.loss);
      return factoredShapes(classes, width);
    case 'hybrid':
      return hybridShapes(sizes, choice);
    case 'full':
      return trainedTable('classes', classes, width, choice);
    case 'hierarchical':
      return [
        ...trainedTable('clusters', Math.ceil(Math.sqrt(classes)), width, choice),
        ...trainedTable('classes', classes, width, choice),
        { name: 'cluster_of_class', rows: classes, columns: 1 },
      ];
    case 'huffman':
      return [
        ...trainedTable('nodes', classes - 1, width, choice),
        { name: 'tree_parents', rows: 2 * classes - 1, columns: 1 },
      ];
    case 'adaptive': {
      const { divValue = 4, cutoffs = defaultCutoffs(sizes, divValue) } = choice;
      const [shortlist = 0] = cutoffs;
      return [
        ...trainedTable('head', shortlist + cutoffs.length, width, choice),
        ...cutoffs.flatMap((first, tail) => {
          const narrow = Math.max(1, Math.floor(features / divValue ** (tail + 1)));
          return [
            ...trainedTable(`tail.${tail}.projection`, narrow, features, choice),
            ...trainedTable(`tail.${tail}.classes`, (cutoffs[tail + 1] ?? classes) - first, narrow, choice),
          ];
        }),
      ];
    }
    case 'sampled':
    case 'nce':
    case 'negative':
      return [...trainedTable('classes', classes, width, choice), ...proposalShapes(classes, choice)];
    case 'rf':
      return [
        ...trainedTable('classes', classes, features, choice),
        ...kernelTreeShapes(classes, features, 2 * fourierFrequencies(choice)),
      ];
    case 'quadratic':
      return [
        ...trainedTable('classes', classes, width, choice),
        ...kernelTreeShapes(classes, width, (width * (width + 1)) / 2 + 1),
      ];
    default:
      return undefined;
  }
}

/**
 * Numbers that a layer computes when it is created and does not store, and operations for them: the projection of
 * random Fourier features, whose rows are made orthogonal.
 */
export function unstoredWork(
  { features }: OutputLayerSizes,
  choice: OutputLayerChoice,
): { readonly numbers: number; readonly operations: number } {
  if (choice.kind !== 'rf') return { numbers: 0, operations: 0 };
  const numbers = fourierFrequencies(choice) * features;
  return { numbers, operations: numbers * Math.min(fourierFrequencies(choice), features) };
}

function defaultCutoffs({ features, frequencies }: OutputLayerSizes, divValue: number): readonly number[] {
  const sorted = frequencies.slice().sort().reverse();
  return balancedCutoffs({ classes: frequencies.length, features, divValue, frequencies: sorted });
}

/** R. */
function fourierFrequencies({ frequencies = 512 }: KernelSampledChoice): number {
  return frequencies;
}

function factoredShapes(classes: number, width: number): TensorShape[] {
  return [
    { name: 'rows', rows: classes, columns: width },
    { name: 'generations', rows: classes, columns: 1 },
    ...['map', 'inverse', 'centred_gram'].map((name) => ({ name, rows: width, columns: width })),
    ...['shift', 'column_sum'].map((name) => ({ name, rows: 1, columns: width })),
  ];
}

function hybridShapes(sizes: OutputLayerSizes, choice: HybridChoice): TensorShape[] {
  const { frequencies } = sizes;
  const { cutoffs = [], tail = 'tree', tailLoss } = choice;
  const { headSize, shortlist } = chooseHybridSizes({ ...sizes, ...choice });
  const width = sizes.features + 1;
  const starts = [headSize, ...cutoffs];
  const tails = starts.flatMap((start, t) => {
    const classes = Math.max(0, (starts[t + 1] ?? frequencies.length) - start);
    const shapes =
      tail === 'tree'
        ? treeTables({ classes, shortlist: t === 0 ? Math.min(shortlist, classes) : 0 }).map((table) => ({
            ...table,
            columns: width,
          }))
        : [
            ...factoredShapes(classes, width),
            ...(tailLoss === 'taylor-softmax' ? [] : [{ name: 'class_constants', rows: classes, columns: 1 }]),
          ];
    return shapes.map((shape) => ({ ...shape, name: `tail${t}.${shape.name}` }));
  });
  return [{ name: 'head.classes', rows: headSize + starts.length, columns: width }, ...tails];
}

/** A table and the moments of its update rule. */
function trainedTable(name: string, rows: number, columns: number, { rule }: AnySoftmaxChoice): TensorShape[] {
  const slots = rule === undefined ? 0 : createRule(rule).slots;
  return [name, ...Array.from({ length: slots }, (_, slot) => `${name}.moment.${slot}`)].map((each) => ({
    name: each,
    rows,
    columns,
  }));
}

function proposalShapes(classes: number, { proposal }: SampledChoice): TensorShape[] {
  return proposal === 'learned' ? [{ name: 'proposal.counts', rows: classes, columns: 1 }] : [];
}

/** @param dimensions of a class vector. @param size of its features. */
function kernelTreeShapes(classes: number, dimensions: number, size: number): TensorShape[] {
  const leafClasses = Math.min(classes, Math.max(1, Math.round(size / dimensions)));
  return [
    { name: 'proposal.tree.vectors', rows: classes, columns: dimensions },
    { name: 'proposal.tree.sums', rows: Math.ceil(classes / leafClasses), columns: size },
  ];
}
