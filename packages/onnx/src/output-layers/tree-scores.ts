/**
 * log p of all classes of the layers that have their classes in parts: a softmax over the parts plus a softmax within
 * each. Parts of different sizes are filled up with outputs of −10³⁰, whose probability is 0.
 */
import type { ModuleState, TensorSource } from '@vastmax/linalg-core/state';
import type { OutputLayer } from '@vastmax/output-layer';
import { stateTensor } from '../bodies/dense-layers.ts';
import type { Graph } from '../graph.ts';
import { addProduct } from './class-rows.ts';

const nothing = -1e30;

/** Side by side, batch×(all columns). */
export function concat(graph: Graph, parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : graph.node('Concat', parts, { axis: { int: 1 } });
}

function logSoftmax(graph: Graph, x: string): string {
  return graph.node('LogSoftmax', [x], { axis: { int: -1 } });
}

/** Columns `first` … `end` − 1. */
export function columns(graph: Graph, x: string, first: number, end: number): string {
  return graph.node('Slice', [x, graph.int64([first]), graph.int64([end]), graph.int64([1])]);
}

async function integers(state: ModuleState, name: string): Promise<Int32Array> {
  const source = stateTensor(state, name);
  return Int32Array.from((await source.read(0, source.rows)).subarray(0, source.rows));
}

/**
 * Level by level (tree-shape.ts of softmax-losses): the children of a node are `fanOut` consecutive rows, and those of
 * the root begin with the classes of the shortlist.
 */
export function addTreeScores(graph: Graph, layer: OutputLayer, hidden: string): string {
  const state = layer.state();
  const { shortlist, fanOut, levels } = state.configuration as {
    readonly [Name in 'shortlist' | 'fanOut' | 'levels']: number;
  };
  const outputs = (name: string): { readonly rows: number; readonly scores: string } => {
    const source = stateTensor(state, name);
    return { rows: source.rows, scores: addProduct(graph, name, hidden, source, layer.features) };
  };
  const { rows: rootRows, scores: rootScores } = outputs('root');
  const root = logSoftmax(graph, rootScores);
  if (levels === 0) return root;
  let above = columns(graph, root, shortlist, rootRows);
  for (let level = 1; level <= levels; level++) {
    const { rows, scores } = outputs(`level.${level}`);
    const nodes = Math.ceil(rows / fanOut);
    const missing = nodes * fanOut - rows;
    const padded = missing === 0 ? scores : pad(graph, scores, missing);
    const within = logSoftmax(graph, graph.node('Reshape', [padded, graph.int64([-1, nodes, fanOut])]));
    const all = graph.node('Add', [within, graph.node('Unsqueeze', [above, graph.int64([2])])]);
    const flat = graph.node('Reshape', [all, graph.int64([-1, nodes * fanOut])]);
    above = missing === 0 ? flat : columns(graph, flat, 0, rows);
  }
  return shortlist === 0 ? above : concat(graph, [columns(graph, root, 0, shortlist), above]);
}

/** Further columns of no probability. */
function pad(graph: Graph, x: string, count: number): string {
  return graph.node('Pad', [x, graph.int64([0, 0, 0, count]), graph.float(nothing)]);
}

/**
 * Classes in clusters, whose rows are contiguous in the ascending order of their classes (cluster-layout.ts of
 * softmax-losses). Clusters are as wide as the largest.
 */
export async function addClusterScores(graph: Graph, layer: OutputLayer, hidden: string): Promise<string> {
  const { classes, features } = layer;
  const state = layer.state();
  const clusterOf = await integers(state, 'cluster_of_class');
  const clusterRows = stateTensor(state, 'clusters');
  const clusters = clusterRows.rows;
  const sizes = new Int32Array(clusters);
  const placeOf = clusterOf.map((cluster) => sizes[cluster]!++);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const firstRow = new Int32Array(clusters);
  for (let cluster = 1; cluster < clusters; cluster++) firstRow[cluster] = firstRow[cluster - 1]! + sizes[cluster - 1]!;
  // The column of padding is the one after the last row.
  const rows = Int32Array.from({ length: clusters * largest }, (_, i) => {
    const cluster = Math.floor(i / largest);
    return i % largest < sizes[cluster]! ? firstRow[cluster]! + (i % largest) : classes;
  });
  const places = clusterOf.map((cluster, target) => cluster * largest + placeOf[target]!);

  const ofClusters = logSoftmax(graph, addProduct(graph, 'clusters', hidden, clusterRows, features));
  const scores = addProduct(graph, 'classes', hidden, stateTensor(state, 'classes'), features);
  const arranged = gather(graph, pad(graph, scores, 1), 'rows of clusters', rows);
  const within = logSoftmax(graph, graph.node('Reshape', [arranged, graph.int64([-1, clusters, largest])]));
  const all = graph.node('Add', [within, graph.node('Unsqueeze', [ofClusters, graph.int64([2])])]);
  const flat = graph.node('Reshape', [all, graph.int64([-1, clusters * largest])]);
  return gather(graph, flat, 'places of classes', places);
}

/** Columns of x by number. */
function gather(graph: Graph, x: string, name: string, places: Int32Array): string {
  return graph.node('Gather', [x, graph.values(name, places)], { axis: { int: 1 } });
}

/** The head's classes and tails, and the classes of each tail on projected activations, by rank. */
export async function addAdaptiveScores(graph: Graph, layer: OutputLayer, hidden: string): Promise<string> {
  const state = layer.state();
  const { cutoffs } = state.configuration as { readonly cutoffs: readonly number[] };
  const [shortlist = 0] = cutoffs;
  const head = logSoftmax(graph, addProduct(graph, 'head', hidden, stateTensor(state, 'head'), layer.features));
  const parts = [columns(graph, head, 0, shortlist)];
  for (const tail of cutoffs.keys()) {
    const projection: TensorSource = stateTensor(state, `tail.${tail}.projection`);
    const projected = addProduct(graph, projection.name, hidden, projection, layer.features);
    const rows = stateTensor(state, `tail.${tail}.classes`);
    const within = logSoftmax(graph, addProduct(graph, rows.name, projected, rows, rows.columns));
    parts.push(graph.node('Add', [within, columns(graph, head, shortlist + tail, shortlist + tail + 1)]));
  }
  const byRank = concat(graph, parts);
  if (!state.tensors.some(({ name }) => name === 'rank_of_class')) return byRank;
  return gather(graph, byRank, 'rank_of_class', await integers(state, 'rank_of_class'));
}
