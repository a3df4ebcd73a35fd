import { createHierarchicalSoftmaxLayer } from '@vastmax/softmax-losses';
import type { LayerRequest } from '@vastmax/output-layer/suite';
import { describeSubject, type Subject } from '../subjects.ts';
import type { NaiveModel } from '../naive-twin.ts';

/** Weights are the cluster rows, then the class rows cluster by cluster. */
function twoLevels({ classes, features }: LayerRequest, clusterOf: readonly number[]): NaiveModel {
  const width = features + 1;
  const clusters = Math.max(...clusterOf) + 1;
  const members = Array.from({ length: clusters }, (_, cluster) =>
    Array.from({ length: classes }, (_, k) => k).filter((k) => clusterOf[k] === cluster),
  );
  const order = members.flat();
  const rowsOf = members.map((list) => list.map((k) => (clusters + order.indexOf(k)) * width));
  const clusterRows = members.map((_, cluster) => cluster * width);
  return {
    bias: true,
    decisions: (target) => {
      const cluster = clusterOf[target]!;
      return [
        { rows: clusterRows, chosen: cluster },
        { rows: rowsOf[cluster]!, chosen: members[cluster]!.indexOf(target) },
      ];
    },
  };
}

const frequenciesOf = (classes: number): Float64Array =>
  Float64Array.from({ length: classes }, (_, k) => 1 + ((k * 7) % classes));

/** Equal slices of the classes by descending frequency. */
function clustersByFrequency(classes: number): number[] {
  const frequencies = frequenciesOf(classes);
  const clusters = Math.ceil(Math.sqrt(classes));
  const clusterOf = Array.from({ length: classes }, () => 0);
  Array.from(clusterOf.keys())
    .sort((a, b) => frequencies[b]! - frequencies[a]!)
    .forEach((k, rank) => (clusterOf[k] = Math.floor((rank * clusters) / classes)));
  return clusterOf;
}

const byFrequency: Subject = {
  name: 'hierarchical softmax by frequency',
  create: (backend, request, rule) =>
    createHierarchicalSoftmaxLayer(backend, {
      ...request,
      frequencies: frequenciesOf(request.classes),
      initialScale: 0.3,
      rule,
    }),
  model: (request) => twoLevels(request, clustersByFrequency(request.classes)),
};

const assigned = (classes: number): number[] => Array.from({ length: classes }, (_, k) => Math.min(3, (3 * k) % 7));

const byAssignment: Subject = {
  name: 'hierarchical softmax by assignment',
  create: (backend, request, rule) =>
    createHierarchicalSoftmaxLayer(backend, {
      ...request,
      assignment: Int32Array.from(assigned(request.classes)),
      initialScale: 0.3,
      rule,
    }),
  model: (request) => twoLevels(request, assigned(request.classes)),
};

describeSubject(byFrequency);
describeSubject(byAssignment);
