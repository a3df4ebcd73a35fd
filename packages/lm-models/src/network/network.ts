/**
 * The one model of this package: any body with any output layer. It is trained, evaluated, saved and asked for what
 * comes next; a checkpoint of it needs nothing beside it to be loaded. A language model is a network whose inputs and
 * classes are the words of a vocabulary.
 */
import type { ModuleState } from '@vastmax/linalg-core/state';
import { Tape, type Variable } from '@vastmax/autodiff';
import type { Backend, Matrix } from '@vastmax/linalg-core';
import { CallGuard, type OutputLayer } from '@vastmax/output-layer';
import type { ModelParameters } from '../bodies/layers.ts';
import { ModelError } from '../model-error.ts';
import type { OutputLayerChoice } from '../output-layers/output-layer-choice.ts';
import { freezeOutputLayer } from '../prediction/frozen-output-layer.ts';

/** Everything of a network below its output layer: from a minibatch to the activations that classes are scored with. */
export interface Body<Batch> extends Disposable {
  readonly backend: Backend;
  /** Width of what `forward` returns. */
  readonly features: number;
  /** How many numbers training changes. */
  readonly parameterCount: number;
  readonly parameters: ModelParameters;
  /** m×features, on the tape: a row for each example of the minibatch, in the order of its targets. */
  forward(tape: Tape, batch: Batch, options?: { readonly training?: boolean }): Variable;
  /**
   * Prompts×features, on the tape: the activations that score what follows each prompt. For bodies over words or items.
   */
  forwardPrompts?(tape: Tape, prompts: readonly ArrayLike<number>[], options?: PromptOptions): Variable;
  /** For bodies that can read a text word by word for less than reading all of it again; the caller disposes it. */
  createReader?(): BodyReader;
  state(): ModuleState;
  /** @throws ModelError or OutputLayerError `state-mismatch` when the state's model is another. */
  restore(state: ModuleState): Promise<void>;
}

/** A text that grows, and what the body keeps of it. What is kept is of the weights at the time of reading. */
export interface BodyReader extends Disposable {
  /** The most words that it can have read. */
  readonly capacity: number;
  /** How many it has read. */
  readonly length: number;
  /**
   * 1×features, on the tape: the activations that score what follows the last of these words, which come after those
   * read before: those of `forwardPrompts` for all of them, up to rounding.
   * @throws ModelError `shape` for no words, or for more than fit.
   */
  read(tape: Tape, words: ArrayLike<number>): Variable;
  /** Begins another text. */
  clear(): void;
}

/** How words before a prediction are made into an input. */
export interface PromptOptions {
  /** The word that stands before the first of a text. */
  readonly paddingId?: number;
  /** How many words of a prompt are read at most, the last ones. */
  readonly maxWords?: number;
}

/** How many inputs there are, and how often each class occurs: the number of classes is the length. */
export interface NetworkSizes {
  /** How many different inputs there are: words, items or features. */
  readonly inputs: number;
  /** How often each of the D classes occurred in training. */
  readonly frequencies: Float64Array;
}

/** Plain JSON that describes a network in a checkpoint. */
export interface NetworkDescription<Output extends object = OutputLayerChoice> {
  readonly body: object;
  readonly output: Output;
}

/** Where a network is read from: an opened checkpoint has this shape. */
export interface SavedModel {
  readonly configuration: ModuleState['configuration'];
  module(name: string): ModuleState;
}

/**
 * A body, an output layer and their sizes: what is trained, saved and asked. Created by `createNetwork` or
 * `loadNetwork`.
 */
export class Network<
  Batch,
  NetworkBody extends Body<Batch> = Body<Batch>,
  Output extends object = OutputLayerChoice,
> implements Disposable {
  readonly backend: Backend;
  readonly options: NetworkDescription<Output>;
  #sizes: NetworkSizes;
  readonly body: NetworkBody;
  #output: OutputLayer;
  readonly #tape: Tape;
  readonly #calls = new CallGuard('network');

  /** For a body of your own; `createNetwork` makes both parts. The network disposes them. */
  constructor(options: NetworkDescription<Output>, sizes: NetworkSizes, body: NetworkBody, output: OutputLayer) {
    this.backend = body.backend;
    this.options = options;
    this.#sizes = sizes;
    this.body = body;
    this.#output = output;
    this.#tape = new Tape(this.backend);
  }

  /**
   * Runs several calls of the body and the output layer as one. They share a tape, and recurrent bodies their streams,
   * so an evaluation, a prediction or a training step that begins meanwhile would read what the other has computed.
   * What this package does with a network goes through it.
   * @param operation its name, for messages.
   * @throws OutputLayerError `busy` beside another, as a rejection; nothing has run then.
   */
  exclusively<Result>(operation: string, action: () => Promise<Result>): Promise<Result> {
    return this.#calls.run(operation, action);
  }

  /** The activations that the output layer sees, m×features, without training; valid until the next call. */
  computeHidden(batch: Batch): Matrix {
    this.#tape.reset();
    return this.body.forward(this.#tape, batch).value;
  }

  /**
   * The activations that score what follows each prompt, prompts×features; valid until the next call.
   * @param prompts word or item numbers.
   * @throws ModelError `unsupported` for a body that reads no prompts, `bad-option` for a short prompt without padding.
   */
  computePromptHidden(prompts: readonly ArrayLike<number>[], options?: PromptOptions): Matrix {
    this.#tape.reset();
    const hidden = this.body.forwardPrompts?.(this.#tape, prompts, options);
    if (hidden === undefined)
      throw new ModelError('unsupported', 'this network reads no prompts: its body has no forwardPrompts');
    return hidden.value;
  }

  /** After `freeze` a layer that only predicts. */
  get output(): OutputLayer {
    return this.#output;
  }

  /**
   * For a program that asks many questions of a trained network: replaces its output layer by what prediction needs of
   * it, the vectors of the classes in an index that answers a single question without reading all of them (see
   * `freezeOutputLayer`). Predictions are the same but for rounding; steps and checkpoints are refused from then on.
   * O(D·d²) for the factored layer, O(D·d) for others, as long as 20 to 50 predictions. Memory: 5 bytes a
   * number of the class vectors, and both layers meanwhile.
   * @throws ModelError `unsupported` for an output layer whose scores are no inner products, `bad-option` for one whose
   * numbers are not finite, OutputLayerError `busy`; the network has not changed then.
   */
  freeze(): Promise<void> {
    return this.exclusively('freeze', async () => {
      const trained = this.#output;
      this.#output = await freezeOutputLayer(trained);
      trained[Symbol.dispose]();
    });
  }

  /**
   * The activations that score what follows the words that a reader has read, 1×features; valid until the next call.
   * @param reader of this network's body.
   */
  computeNextHidden(reader: BodyReader, words: ArrayLike<number>): Matrix {
    this.#tape.reset();
    return reader.read(this.#tape, words).value;
  }

  get sizes(): NetworkSizes {
    return this.#sizes;
  }

  /**
   * Adds classes that have not occurred; `addClasses` of this package does it for its output layers.
   * @param add adds them to the output layer; the sizes are those with the new classes.
   * @throws OutputLayerError `busy`, and what `add` throws; the sizes have not changed then.
   */
  addClasses(count: number, add: (output: OutputLayer, sizes: NetworkSizes) => void): Promise<void> {
    return this.exclusively('addClasses', () => {
      const { inputs, frequencies: before } = this.#sizes;
      const frequencies = new Float64Array(before.length + count);
      frequencies.set(before);
      const sizes = { inputs, frequencies };
      add(this.output, sizes);
      this.#sizes = sizes;
      return Promise.resolve();
    });
  }

  /** The modules of a checkpoint. */
  modules(): Readonly<Record<string, ModuleState>> {
    return { body: this.body.state(), output: this.output.state(), sizes: sizesState(this.sizes) };
  }

  /**
   * The weights of a checkpoint.
   * @throws ModelError or OutputLayerError `state-mismatch` for those of another network, `busy`.
   */
  restore(saved: Pick<SavedModel, 'module'>): Promise<void> {
    return this.exclusively('restore', async () => {
      await this.body.restore(saved.module('body'));
      await this.output.restore(saved.module('output'));
    });
  }

  [Symbol.dispose](): void {
    this.#calls.close(() => {
      this.#tape[Symbol.dispose]();
      this.body[Symbol.dispose]();
      this.output[Symbol.dispose]();
    });
  }
}

/** The parts of a network that an evaluation takes. */
export type EvaluatedNetwork<Batch> = Pick<Network<Batch>, 'output' | 'computeHidden' | 'exclusively'>;

function sizesState({ inputs, frequencies }: NetworkSizes): ModuleState {
  return {
    configuration: { inputs, classes: frequencies.length },
    tensors: [
      {
        name: 'frequencies',
        precision: 'f64',
        rows: frequencies.length,
        columns: 1,
        read: (first, count) => Promise.resolve(frequencies.subarray(first, first + count)),
      },
    ],
  };
}
