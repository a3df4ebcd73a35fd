import { createHuffmanSoftmaxLayer } from '@vastmax/softmax-losses';
import { describeSubject } from '../subjects.ts';
import type { Decision } from '../naive-twin.ts';

const frequenciesOf = (classes: number): Float64Array =>
  Float64Array.from({ length: classes }, (_, k) => 1 + ((k * k * 5) % 97));

interface Vertex {
  readonly weight: number;
  /** Order in which it was made: classes by ascending frequency first. */
  readonly order: number;
  /** What each class below adds to its code: node number and sign. */
  readonly codes: ReadonlyMap<number, readonly (readonly [node: number, sign: 1 | -1])[]>;
}

/** Huffman's algorithm as in a textbook: a list, sorted again and again. */
function codesOf(frequencies: Float64Array): Vertex['codes'] {
  const ascending = Array.from(frequencies.keys()).sort((a, b) => frequencies[a]! - frequencies[b]! || b - a);
  let vertices: Vertex[] = ascending.map((k, order) => ({ weight: frequencies[k]!, order, codes: new Map([[k, []]]) }));
  for (let node = 0; vertices.length > 1; node++) {
    const sorted = vertices.sort((a, b) => a.weight - b.weight || a.order - b.order);
    const [one, other] = [sorted[0]!, sorted[1]!];
    const codes = new Map<number, readonly (readonly [number, 1 | -1])[]>();
    for (const [vertex, sign] of [
      [one, 1],
      [other, -1],
    ] as const) {
      for (const [k, code] of vertex.codes) codes.set(k, [...code, [node, sign]]);
    }
    vertices = [...sorted.slice(2), { weight: one.weight + other.weight, order: frequencies.length + node, codes }];
  }
  return vertices[0]!.codes;
}

describeSubject({
  name: 'Huffman softmax',
  create: (backend, request, rule) =>
    createHuffmanSoftmaxLayer(backend, {
      ...request,
      frequencies: frequenciesOf(request.classes),
      initialScale: 0.3,
      rule,
    }),
  model: ({ classes, features }) => {
    const codes = codesOf(frequenciesOf(classes));
    return {
      bias: true,
      decisions: (target) =>
        (codes.get(target) ?? []).map(([node, sign]): Decision => ({ rows: [node * (features + 1)], chosen: 0, sign })),
    };
  },
});
