/**
 * How the ranks begin a collective call: one small all-to-all in which each rank announces which call it makes, with
 * which numbers, and whether it has a local error. If one has, all throw that error before anything has changed, so no
 * rank waits for one that has left the call. The same message carries how many rows are requested from each rank, which
 * would otherwise need a message of its own.
 */
import { isOutputLayerError, OutputLayerError, type OutputLayerErrorCode } from '@vastmax/output-layer';
import type { Communicator } from '@vastmax/collectives';
import { isStateError, StateError } from '@vastmax/linalg-core/state';
import type { Backend } from '@vastmax/linalg-core';
import { compareOptions } from './compare-options.ts';

const operations = [
  'create',
  'step',
  'evaluate',
  'classScores',
  'denseRows',
  'restore',
  'materialize',
  'verify',
  'topK',
  'ranksOf',
  'addClasses',
  'classLogProbabilities',
  'logProbabilities',
] as const;
export type CollectiveOperation = (typeof operations)[number];

export interface Announcement {
  /** The error for which this rank rejects the call; undefined when there is none. */
  readonly localError?: unknown;
  /** Up to four named numbers that must be the same on all ranks. */
  readonly same: Readonly<Record<string, number>>;
  /** m of this rank's part. */
  readonly examples?: number;
  readonly checksum?: number;
}

export interface GlobalCounts {
  /** m of each rank. */
  readonly examples: Int32Array;
  /** Σm. */
  readonly totalExamples: number;
  readonly checksums: readonly number[];
}

const sameNumbers = 4;
const operationWord = 0;
const errorWord = 1;
const firstSame = 2;
const examplesWord = firstSame + sameNumbers;
const checksumWord = examplesWord + 1;
const countWord = checksumWord + 1;
const words = countWord + 1;

export class CollectivePreflight {
  readonly communicator: Communicator;
  readonly #sent: Float64Array;
  readonly #received: Float64Array;
  readonly #counts: Int32Array;

  constructor(communicator: Communicator) {
    this.communicator = communicator;
    this.#sent = new Float64Array(words * communicator.size);
    this.#received = new Float64Array(words * communicator.size);
    this.#counts = new Int32Array(communicator.size).fill(words);
  }

  /**
   * @param rows `requestCounts`, how many rows this rank requests from each rank, and `incomingCounts`, which is filled
   * with how many each rank requests from this one.
   * @throws OutputLayerError the error of the first rank that has one, on every rank; `bad-option` when the numbers
   * differ.
   */
  begin(
    operation: CollectiveOperation,
    announcement: Announcement,
    rows?: { readonly requestCounts: Int32Array; readonly incomingCounts: Int32Array } | undefined,
  ): GlobalCounts {
    const { localError, same, examples = 0, checksum = 0 } = announcement;
    const { size } = this.communicator;
    const names = Object.keys(same);
    for (let rank = 0, place = 0; rank < size; rank++, place += words) {
      this.#sent.fill(0, place, place + words);
      this.#sent[place + operationWord] = operations.indexOf(operation);
      this.#sent[place + errorWord] = localError === undefined ? 0 : 1;
      names.forEach((name, i) => (this.#sent[place + firstSame + i] = same[name] ?? 0));
      this.#sent[place + examplesWord] = examples;
      this.#sent[place + checksumWord] = checksum;
      this.#sent[place + countWord] = rows === undefined || localError !== undefined ? 0 : rows.requestCounts[rank]!;
    }
    this.communicator.allToAll(this.#sent, this.#counts, this.#received, this.#counts);
    for (let rank = 0; rank < size; rank++)
      if (this.#of(rank, errorWord) !== 0) this.throwErrorOf(operation, rank, localError);
    this.#compare(operation, names);
    const each = new Int32Array(size);
    for (let rank = 0; rank < size; rank++) {
      each[rank] = this.#of(rank, examplesWord);
      if (rows !== undefined) rows.incomingCounts[rank] = this.#of(rank, countWord);
    }
    return {
      examples: each,
      totalExamples: each.reduce((sum, count) => sum + count, 0),
      checksums: Array.from(each, (_, rank) => this.#of(rank, checksumWord)),
    };
  }

  /** Throws the error of `rank` on every rank; all ranks know that it has one. A collective. */
  throwErrorOf(operation: CollectiveOperation, rank: number, own: unknown): never {
    const { size } = this.communicator;
    if (size === 1) throw own;
    const isMine = rank === this.communicator.rank;
    let text = new TextEncoder().encode(isMine ? JSON.stringify(describe(own)) : '');
    const length = Int32Array.of(text.length);
    this.communicator.broadcast(length, rank);
    if (!isMine) text = new Uint8Array(length[0]!);
    this.communicator.broadcast(text, rank);
    const { code, message } = JSON.parse(new TextDecoder().decode(text)) as {
      code: OutputLayerErrorCode | 'state-mismatch';
      message: string;
    };
    const explanation = `rank ${rank} of ${size} refused the ${operation}: ${message}`;
    const options = { cause: isMine ? own : { rank } };
    if (code === 'state-mismatch') throw new StateError(code, explanation, options);
    throw new OutputLayerError(code, explanation, options);
  }

  /** Compares the numbers of all ranks. Every rank has all of them, so all come to the same result. */
  #compare(operation: CollectiveOperation, names: readonly string[]): void {
    for (let rank = 1; rank < this.communicator.size; rank++) {
      const theirs = this.#of(rank, operationWord);
      if (theirs !== this.#of(0, operationWord)) {
        throw new OutputLayerError(
          'bad-option',
          `distributed layer: rank 0 called ${operations[this.#of(0, operationWord)] ?? 'nothing'}, rank ${rank} ${operations[theirs] ?? 'nothing'}; all ranks must make the same calls in the same order`,
        );
      }
      names.forEach((name, i) => {
        const [first, other] = [this.#of(0, firstSame + i), this.#of(rank, firstSame + i)];
        if (first === other) return;
        throw new OutputLayerError(
          'bad-option',
          `distributed ${operation}: ${name} is ${first} on rank 0 and ${other} on rank ${rank}; it must be the same on all ranks`,
        );
      });
    }
  }

  #of(rank: number, word: number): number {
    return this.#received[rank * words + word]!;
  }
}

/**
 * The error as other ranks report it. An error that is neither OutputLayerError nor StateError happened during the
 * computation, and the layer's code for that is `diverged`.
 */
function describe(error: unknown): { code: OutputLayerErrorCode | 'state-mismatch'; message: string } {
  if (isOutputLayerError(error) || isStateError(error)) return { code: error.code, message: error.message };
  return { code: 'diverged', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}

/**
 * What keeps this rank from a call, until the preflight has sent it to the other ranks: that it is busy, or else the
 * error that `check` throws.
 */
export function localErrorOf(busy: unknown, check: () => void): unknown {
  if (busy !== undefined) return busy;
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}

export interface Creation<Layer extends Disposable> {
  /** Which layer it is, for messages. */
  readonly kind: string;
  /** The options, which must be the same on every rank. */
  readonly options: { readonly classes: number; readonly features: number; readonly bias?: boolean };
  /** Creates this rank's part and checks the options. No collective. */
  readonly create: () => Layer;
  /** The part of the creation that may fail after there is something to dispose of. No collective. */
  readonly fill?: (layer: Layer) => void;
  /** Called when every rank has created its part. A collective. */
  readonly finish: (layer: Layer) => Promise<void>;
}

/**
 * Creates a layer on every rank, or on none. A collective.
 * @throws OutputLayerError the error of one rank on all; `bad-option` when their options differ.
 */
export async function createCollectively<Layer extends Disposable>(
  preflight: CollectivePreflight,
  backend: Backend,
  { kind, options, create, fill, finish }: Creation<Layer>,
): Promise<Layer> {
  let layer: Layer | undefined;
  let localError: unknown;
  try {
    layer = create();
    fill?.(layer);
  } catch (error) {
    localError = error;
  }
  try {
    const { classes, features, bias = true } = options;
    preflight.begin('create', {
      localError,
      same: { classes, features, bias: bias ? 1 : 0, bits: backend.precision === 'f32' ? 32 : 64 },
    });
    compareOptions(preflight.communicator, kind, options);
    if (layer === undefined) throw new OutputLayerError('bad-option', 'distributed layer: there is none');
    await finish(layer);
    return layer;
  } catch (error) {
    layer?.[Symbol.dispose]();
    throw error;
  }
}

/**
 * Each rank restores its part of a state. A collective. A rank that rejects the state is unchanged; others may have
 * restored theirs.
 * @param progress the numbers that must be the same on all ranks afterwards.
 * @param busy why this rank rejects the call, if it does; then no rank restores anything.
 * @throws StateError `state-mismatch` on every rank.
 */
export async function restoreCollectively(
  preflight: CollectivePreflight,
  restoreOwn: () => Promise<void>,
  progress: () => Readonly<Record<string, number>>,
  busy: unknown,
): Promise<void> {
  preflight.begin('restore', { localError: busy, same: {} });
  let localError: unknown;
  try {
    await restoreOwn();
  } catch (error) {
    localError = error;
  }
  preflight.begin('restore', { localError, same: progress() });
}
