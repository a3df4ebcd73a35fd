/**
 * An ONNX graph under construction: nodes in the order of their computation, the weights they use, inputs and outputs.
 * Names of values are made from the operator and a number, as what a person sees in a viewer.
 */
import type { TensorSource } from '@vastmax/linalg-core/state';
import { tensorOfSource, tensorOfValues, type ElementType, type OnnxTensor } from './tensors.ts';

/** An attribute of a node, by its type. */
export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

/** A node of the graph. */
export interface GraphNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An input or output: sizes are numbers, or names of sizes that the caller chooses. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
  /** For people. */
  readonly description: string;
}

export class Graph {
  readonly nodes: GraphNode[] = [];
  /** In the order in which they are written. */
  readonly tensors: OnnxTensor[] = [];
  readonly inputs: GraphValue[] = [];
  readonly outputs: GraphValue[] = [];
  readonly #names = new Set<string>();
  readonly #constants = new Map<string, string>();

  /** @returns its name. */
  input(value: GraphValue): string {
    this.inputs.push(value);
    return this.#take(value.name);
  }

  /** Gives a value the name of an output. */
  output(from: string, value: GraphValue): void {
    this.outputs.push(value);
    this.nodes.push({ operator: 'Identity', inputs: [from], outputs: [this.#take(value.name)], attributes: {} });
  }

  /** @param inputs names of values. @returns the name of its output. */
  node(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const output = this.#unused(operator);
    this.nodes.push({ operator, inputs, outputs: [output], attributes });
    return output;
  }

  /** A node of two outputs. @returns their names. */
  nodePair(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): readonly [string, string] {
    const outputs = [this.#unused(operator), this.#unused(operator)] as const;
    this.nodes.push({ operator, inputs, outputs, attributes });
    return outputs;
  }

  /** Weights that are read when the file is written. @returns their name. */
  weights(name: string, source: TensorSource, shape?: readonly number[]): string {
    return this.#add(tensorOfSource(this.#unused(name), source, shape));
  }

  /** @returns their name. */
  values(name: string, values: Float32Array | Int32Array | BigInt64Array, shape?: readonly number[]): string {
    return this.#add(tensorOfValues(this.#unused(name), values, shape));
  }

  /** A list of sizes or axes, or with `shape: []` one number. */
  int64(values: readonly number[], shape?: readonly number[]): string {
    return this.#constant(`int64 ${String(shape)} ${values.join()}`, () =>
      this.values('integers', BigInt64Array.from(values, BigInt), shape),
    );
  }

  float(value: number): string {
    return this.#constant(`float ${value}`, () => this.values('number', Float32Array.of(value), []));
  }

  #constant(key: string, make: () => string): string {
    const name = this.#constants.get(key) ?? make();
    this.#constants.set(key, name);
    return name;
  }

  #add(tensor: OnnxTensor): string {
    this.tensors.push(tensor);
    return tensor.name;
  }

  #unused(name: string): string {
    for (let number = 0; ; number++) {
      const candidate = number === 0 ? name : `${name}_${number}`;
      if (!this.#names.has(candidate)) return this.#take(candidate);
    }
  }

  #take(name: string): string {
    this.#names.add(name);
    return name;
  }
}
