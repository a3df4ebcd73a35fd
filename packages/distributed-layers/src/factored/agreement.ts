/**
 * How the ranks begin a call together: one small all-to-all in which each says what it is about to do, with which
 * numbers, and whether it must refuse. When one must, all do, with that rank's error, before anybody has changed
 * anything; so no rank waits for one that has left. The same message carries how many rows are asked of each rank,
 * which would otherwise take a message of its own.
 */
import { isOutputLayerError, OutputLayerError, type OutputLayerErrorCode } from '@vastmax/output-layer';
import type { Communicator } from '@vastmax/collectives';
import { isStateError, StateError } from '@vastmax/linalg-core/state';

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
  /** Why this rank must refuse; undefined when it need not. */
  readonly refusal?: unknown;
  /** Up to four named numbers that must be the same everywhere. */
  readonly same: Readonly<Record<string, number>>;
  /** m of this rank. */
  readonly examples?: number;
  readonly checksum?: number;
}

export interface Agreed {
  /** m of each rank. */
  readonly examples: Int32Array;
  /** Σm. */
  readonly totalExamples: number;
  readonly checksums: readonly number[];
}

const sameNumbers = 4;
const operationWord = 0;
const refusedWord = 1;
const firstSame = 2;
const examplesWord = firstSame + sameNumbers;
const checksumWord = examplesWord + 1;
const countWord = checksumWord + 1;
const words = countWord + 1;

export class Agreement {
  readonly #communicator: Communicator;
  readonly #sent: Float64Array;
  readonly #received: Float64Array;
  readonly #counts: Int32Array;

  constructor(communicator: Communicator) {
    this.#communicator = communicator;
    this.#sent = new Float64Array(words * communicator.size);
    this.#received = new Float64Array(words * communicator.size);
    this.#counts = new Int32Array(communicator.size).fill(words);
  }

  /**
   * @param asked how many rows this rank asks of each, and `wanted`, filled with how many each asks of this rank.
   * @throws OutputLayerError the refusal of the first rank that refuses, on every rank; `bad-option` when the numbers
   * differ.
   */
  begin(
    operation: CollectiveOperation,
    announcement: Announcement,
    rows?: { readonly asked: Int32Array; readonly wanted: Int32Array },
  ): Agreed {
    const { refusal, same, examples = 0, checksum = 0 } = announcement;
    const { size } = this.#communicator;
    const names = Object.keys(same);
    for (let rank = 0, place = 0; rank < size; rank++, place += words) {
      this.#sent.fill(0, place, place + words);
      this.#sent[place + operationWord] = operations.indexOf(operation);
      this.#sent[place + refusedWord] = refusal === undefined ? 0 : 1;
      names.forEach((name, i) => (this.#sent[place + firstSame + i] = same[name] ?? 0));
      this.#sent[place + examplesWord] = examples;
      this.#sent[place + checksumWord] = checksum;
      this.#sent[place + countWord] = rows === undefined || refusal !== undefined ? 0 : rows.asked[rank]!;
    }
    this.#communicator.allToAll(this.#sent, this.#counts, this.#received, this.#counts);
    for (let rank = 0; rank < size; rank++)
      if (this.#of(rank, refusedWord) !== 0) this.refuse(operation, rank, refusal);
    this.#compare(operation, names);
    const each = new Int32Array(size);
    for (let rank = 0; rank < size; rank++) {
      each[rank] = this.#of(rank, examplesWord);
      if (rows !== undefined) rows.wanted[rank] = this.#of(rank, countWord);
    }
    return {
      examples: each,
      totalExamples: each.reduce((sum, count) => sum + count, 0),
      checksums: Array.from(each, (_, rank) => this.#of(rank, checksumWord)),
    };
  }

  /** All ranks know that `rank` must refuse; it says why, and all throw that. A collective. */
  refuse(operation: CollectiveOperation, rank: number, own: unknown): never {
    const { size } = this.#communicator;
    if (size === 1) throw own;
    const isMine = rank === this.#communicator.rank;
    let text = new TextEncoder().encode(isMine ? JSON.stringify(describe(own)) : '');
    const length = Int32Array.of(text.length);
    this.#communicator.broadcast(length, rank);
    if (!isMine) text = new Uint8Array(length[0]!);
    this.#communicator.broadcast(text, rank);
    const { code, message } = JSON.parse(new TextDecoder().decode(text)) as {
      code: OutputLayerErrorCode | 'state-mismatch';
      message: string;
    };
    const explanation = `rank ${rank} of ${size} refused the ${operation}: ${message}`;
    const options = { cause: isMine ? own : { rank } };
    if (code === 'state-mismatch') throw new StateError(code, explanation, options);
    throw new OutputLayerError(code, explanation, options);
  }

  /** Every rank has all numbers, so all come to the same conclusion. */
  #compare(operation: CollectiveOperation, names: readonly string[]): void {
    for (let rank = 1; rank < this.#communicator.size; rank++) {
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
 * What an error is to the other ranks. What is no OutputLayerError or StateError has gone wrong in the middle, and the layer's own
 * code for that is `diverged`.
 */
function describe(error: unknown): { code: OutputLayerErrorCode | 'state-mismatch'; message: string } {
  if (isOutputLayerError(error) || isStateError(error)) return { code: error.code, message: error.message };
  return { code: 'diverged', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}

/** What a check throws, kept until the other ranks can be told. */
export function refusalOf(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}
