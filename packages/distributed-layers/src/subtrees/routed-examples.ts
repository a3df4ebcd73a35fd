/**
 * Sends examples to the ranks that have the subtrees of their targets, and the results back, as tokens are sent to their
 * experts (D. Lepikhin et al., arXiv:2006.16668 §2). An example with targets on several ranks is sent to each; one with
 * several targets on a rank is sent there once. What is exchanged, each time one part for each rank:
 *
 *     targets   for each target the number of its example within the part, and its class in the owner's numbering
 *     examples  for each example h and the factor of its loss; then y of each target
 *     results   for each example its loss; in a step also its gradient
 *
 * For e examples a rank sends and gets back 2e(d + 1) numbers and some words, whatever the number of classes and of
 * levels. Rejected: fetching the rows of the nodes on the path (fetched-rows.ts), up to 64 rows a level for each example.
 */
import type { Communicator } from '@vastmax/collectives';
import {
  createHostArray,
  gatherRows,
  scatterAddRows,
  write,
  type Backend,
  type FloatArray,
  type Indices,
  type Matrix,
  type Workspace,
} from '@vastmax/linalg-core';
import { TargetList } from '@vastmax/softmax-losses/layer-parts';

/** Where a class is: its owner, −1 for one that every rank has, and its number there. */
export interface ClassPlaces {
  ownerOf(target: number): number;
  localOf(target: number): number;
}

/** The examples that this rank has been sent. */
export interface ReceivedExamples {
  /** n×width, with the bias feature. */
  readonly hidden: Matrix;
  readonly targets: TargetList;
  readonly factors: Float64Array;
  /** n×1 and n×width, zeros, to be added to. */
  readonly losses: Matrix;
  readonly gradient: Matrix;
}

export class RoutedExamples {
  /** How many targets this rank sends to each, known after `route`; and how many each sends, to be filled in before. */
  readonly requestCounts: Int32Array;
  readonly incomingCounts: Int32Array;
  readonly #communicator: Communicator;
  readonly #backend: Backend;
  readonly #workspace: Workspace;
  readonly #features: number;
  readonly #bias: boolean;
  /** Examples sent to each rank, and got from each. */
  readonly #sent: Int32Array;
  readonly #received: Int32Array;
  readonly #sendCounts: Int32Array;
  readonly #receiveCounts: Int32Array;
  readonly #next: Int32Array;
  readonly #targets = new TargetList();
  /** Of each target in the order of the ranks: its entry in the list given to `route`. */
  #entries: Int32Array = new Int32Array(0);
  #words: Int32Array = new Int32Array(0);
  #incomingWords: Int32Array = new Int32Array(0);
  /** The example of this rank that each sent one is. */
  #examples: Int32Array = new Int32Array(0);
  #factors: Float64Array = new Float64Array(0);
  #weights: Float64Array = new Float64Array(0);
  #outgoing: FloatArray;
  #incoming: FloatArray;
  #rows: FloatArray;

  constructor(
    communicator: Communicator,
    backend: Backend,
    workspace: Workspace,
    { features, bias }: { readonly features: number; readonly bias: boolean },
  ) {
    const counts = (): Int32Array => new Int32Array(communicator.size);
    this.#communicator = communicator;
    this.#backend = backend;
    this.#workspace = workspace;
    this.#features = features;
    this.#bias = bias;
    this.requestCounts = counts();
    this.incomingCounts = counts();
    this.#sent = counts();
    this.#received = counts();
    this.#sendCounts = counts();
    this.#receiveCounts = counts();
    this.#next = counts();
    this.#outgoing = createHostArray(backend, 0);
    this.#incoming = this.#outgoing;
    this.#rows = this.#outgoing;
  }

  /** Sorts the targets by owner. No communication. */
  route(targets: TargetList, { ownerOf, localOf }: ClassPlaces): void {
    const { count, rows, classes, weights } = targets;
    const { requestCounts } = this;
    if (this.#entries.length < count) {
      this.#entries = new Int32Array(Math.ceil(count * 1.5));
      this.#words = new Int32Array(2 * this.#entries.length);
      this.#examples = new Int32Array(this.#entries.length);
      this.#weights = new Float64Array(this.#entries.length);
    }
    requestCounts.fill(0);
    for (let entry = 0; entry < count; entry++) {
      const owner = ownerOf(classes[entry]!);
      if (owner >= 0) requestCounts[owner]!++;
    }
    for (let owner = 0, place = 0; owner < requestCounts.length; owner++) {
      this.#next[owner] = place;
      place += requestCounts[owner]!;
    }
    for (let entry = 0; entry < count; entry++) {
      const owner = ownerOf(classes[entry]!);
      if (owner >= 0) this.#entries[this.#next[owner]!++] = entry;
    }
    for (let owner = 0, place = 0, example = 0; owner < requestCounts.length; owner++) {
      const first = example;
      for (const end = place + requestCounts[owner]!; place < end; place++) {
        const entry = this.#entries[place]!;
        // The entries of a rank are in the order of their examples.
        if (example === first || this.#examples[example - 1] !== rows[entry]) this.#examples[example++] = rows[entry]!;
        this.#words[2 * place] = example - 1 - first;
        this.#words[2 * place + 1] = localOf(classes[entry]!);
        this.#weights[place] = weights[entry]!;
      }
      this.#sent[owner] = example - first;
    }
  }

  /** Activations of the examples to be sent, one after the other; to be read for `send`. */
  gather(hidden: Matrix): Matrix {
    const rows = this.#workspace.matrix('sent hidden', this.#sentExamples, this.#features);
    gatherRows(hidden, this.#sentIndices(), rows);
    return rows;
  }

  /** Where the numbers of `rows` numbers each are to be read into. */
  host(count: number): FloatArray {
    return (this.#rows = this.#reserved(this.#rows, count));
  }

  /**
   * Exchanges targets and examples. A collective, after the preflight.
   * @param rows what `gather` has, read.
   * @param factors of this rank's examples.
   */
  send(rows: FloatArray, factors: Float64Array): ReceivedExamples {
    this.#exchangeTargets();
    const width = this.#features + 1;
    const { size } = this.#communicator;
    for (let rank = 0; rank < size; rank++) {
      this.#sendCounts[rank] = this.#sent[rank]! * width + this.requestCounts[rank]!;
      this.#receiveCounts[rank] = this.#received[rank]! * width + this.incomingCounts[rank]!;
    }
    const outgoing = (this.#outgoing = this.#reserved(this.#outgoing, sumOf(this.#sendCounts)));
    const incoming = (this.#incoming = this.#reserved(this.#incoming, sumOf(this.#receiveCounts)));
    for (let rank = 0, to = 0, example = 0, target = 0; rank < size; rank++) {
      for (const end = example + this.#sent[rank]!; example < end; example++) {
        const from = example * this.#features;
        for (let i = 0; i < this.#features; i++) outgoing[to++] = rows[from + i]!;
        outgoing[to++] = factors[this.#examples[example]!]!;
      }
      for (const end = target + this.requestCounts[rank]!; target < end; target++)
        outgoing[to++] = this.#weights[target]!;
    }
    this.#communicator.allToAll(outgoing, this.#sendCounts, incoming, this.#receiveCounts);
    return this.#unpack(incoming);
  }

  /**
   * Exchanges the results and adds them to those of this rank's examples. A collective, after `send`.
   * @param losses n numbers, of the examples received.
   * @param gradient n×width, in a step.
   * @param out m×1. @param hiddenGradient m×width, in a step.
   */
  reply(losses: FloatArray, gradient: FloatArray | undefined, out: Matrix, hiddenGradient?: Matrix): void {
    const features = this.#features;
    const ownWidth = this.#width;
    const width = gradient === undefined ? 1 : features + 1;
    const { size } = this.#communicator;
    for (let rank = 0; rank < size; rank++) {
      this.#sendCounts[rank] = this.#received[rank]! * width;
      this.#receiveCounts[rank] = this.#sent[rank]! * width;
    }
    const sent = sumOf(this.#received);
    const outgoing = (this.#outgoing = this.#reserved(this.#outgoing, sent * width));
    const incoming = (this.#incoming = this.#reserved(this.#incoming, this.#sentExamples * width));
    for (let example = 0, to = 0; example < sent; example++) {
      outgoing[to++] = losses[example]!;
      if (gradient === undefined) continue;
      const from = example * ownWidth;
      for (let i = 0; i < features; i++) outgoing[to++] = gradient[from + i]!;
    }
    this.#communicator.allToAll(outgoing, this.#sendCounts, incoming, this.#receiveCounts);
    const count = this.#sentExamples;
    if (count === 0) return;
    const host = this.host(count * ownWidth);
    for (let example = 0; example < count; example++) host[example] = incoming[example * width]!;
    const returned = this.#workspace.matrix('returned losses', count, 1);
    write(host.subarray(0, count), returned);
    scatterAddRows(returned, this.#sentIndices(), out);
    if (hiddenGradient === undefined) return;
    for (let example = 0, to = 0; example < count; example++) {
      for (let i = 0; i < features; i++) host[to++] = incoming[example * width + 1 + i]!;
      if (this.#bias) host[to++] = 0;
    }
    const rows = this.#workspace.matrix('returned gradient', count, ownWidth);
    write(host.subarray(0, count * ownWidth), rows);
    scatterAddRows(rows, this.#sentIndices(), hiddenGradient);
  }

  get #width(): number {
    return this.#features + (this.#bias ? 1 : 0);
  }

  get #sentExamples(): number {
    return sumOf(this.#sent);
  }

  #sentIndices(): Indices {
    return this.#workspace.indices('sent examples', this.#examples, this.#sentExamples);
  }

  /** Afterwards it is known how many examples come from each rank. */
  #exchangeTargets(): void {
    const { size } = this.#communicator;
    for (let rank = 0; rank < size; rank++) {
      this.#sendCounts[rank] = 2 * this.requestCounts[rank]!;
      this.#receiveCounts[rank] = 2 * this.incomingCounts[rank]!;
    }
    const total = sumOf(this.#receiveCounts);
    if (this.#incomingWords.length < total) this.#incomingWords = new Int32Array(Math.ceil(total * 1.5));
    this.#communicator.allToAll(this.#words, this.#sendCounts, this.#incomingWords, this.#receiveCounts);
    for (let rank = 0, end = 0; rank < size; rank++) {
      end += this.#receiveCounts[rank]!;
      this.#received[rank] = this.#receiveCounts[rank] === 0 ? 0 : this.#incomingWords[end - 2]! + 1;
    }
  }

  #unpack(incoming: FloatArray): ReceivedExamples {
    const { size } = this.#communicator;
    const width = this.#width;
    const count = sumOf(this.#received);
    const targets = this.#targets;
    targets.begin(count, sumOf(this.incomingCounts));
    if (this.#factors.length < count) this.#factors = new Float64Array(Math.ceil(count * 1.5));
    const rows = this.host(count * width);
    for (let rank = 0, from = 0, example = 0, word = 0; rank < size; rank++) {
      const first = example;
      for (const end = example + this.#received[rank]!; example < end; example++) {
        const to = example * width;
        for (let i = 0; i < this.#features; i++) rows[to + i] = incoming[from++]!;
        if (this.#bias) rows[to + this.#features] = 1;
        this.#factors[example] = incoming[from++]!;
      }
      for (const end = word + 2 * this.incomingCounts[rank]!; word < end; word += 2)
        targets.add(first + this.#incomingWords[word]!, this.#incomingWords[word + 1]!, incoming[from++]!);
    }
    const hidden = this.#workspace.matrix('received hidden', count, width);
    write(rows.subarray(0, count * width), hidden);
    return {
      hidden,
      targets,
      factors: this.#factors,
      losses: this.#workspace.matrix('received losses', count, 1),
      gradient: this.#workspace.matrix('received gradient', count, width),
    };
  }

  #reserved(array: FloatArray, length: number): FloatArray {
    return array.length < length ? createHostArray(this.#backend, Math.ceil(length * 1.5)) : array;
  }
}

function sumOf(counts: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}
