/**
 * A job of worker threads: the same program on every rank, for tests and for machines without MPI. An error on any
 * rank, or a thread that ends early, aborts the job: the other ranks, which may be waiting, are woken at once, and
 * threads that still run after a grace period are terminated.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Communicator } from '../communicator.ts';
import { CommunicatorError, isCommunicatorError } from '../communicator-error.ts';
import { createTransportCommunicator } from '../transport-communicator.ts';
import { createSharedBoard, endJob, endOfJob, type SharedBoard } from './shared-board.ts';
import { ThreadTransport } from './thread-transport.ts';

/** A job whose ranks are worker threads of this process, each of which runs `module`. */
export interface ThreadRanksOptions {
  /** How many ranks. */
  readonly size: number;
  /** The URL of the program: a module that calls {@link runAsThreadRank} once. */
  readonly module: { readonly href: string };
  /** Passed to every rank, by structured clone. */
  readonly data?: unknown;
  /** Timeout: how long a rank waits for the others in one call before it aborts the job; 60,000 unless given. */
  readonly timeoutMs?: number;
  /** Bytes of each rank's window of shared memory; 1 MiB unless given. Longer messages are sent in several rounds. */
  readonly windowBytes?: number;
  /** Node's own options for the threads. */
  readonly execArgv?: readonly string[];
}

interface RankData {
  readonly vastmaxThreadRank: { readonly board: SharedBoard; readonly rank: number };
  readonly data: unknown;
}

/** How long ranks may take to end after one has failed. */
const graceMs = 2000;

/**
 * Run the program on `size` threads.
 * @returns what each rank returned, in the order of the ranks.
 * @throws CommunicatorError `aborted` when a rank failed, naming it, with its error as the cause; at most timeoutMs + 2
 * s after the failure.
 */
export async function startThreadRanks(options: ThreadRanksOptions): Promise<unknown[]> {
  const { size, module, data, timeoutMs = 60_000, windowBytes = 1 << 20, execArgv } = options;
  for (const [name, value] of Object.entries({ size, timeoutMs, windowBytes })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new CommunicatorError(
        'bad-option',
        `startThreadRanks: ${name} must be a whole number of at least 1, got ${value}`,
      );
    }
  }
  const board = createSharedBoard(size, timeoutMs, windowBytes);
  const workers: Worker[] = [];
  const ends = Array.from({ length: size }, (_, rank) => {
    const rankData: RankData = { vastmaxThreadRank: { board, rank }, data };
    const worker = new Worker(new URL(module.href), {
      workerData: rankData,
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    });
    workers.push(worker);
    return endOf(worker, rank, board);
  });
  const failed = await Promise.race([Promise.all(ends).then(() => false), firstFailure(ends)]);
  if (failed) {
    const all = Promise.all(ends);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([all, grace]);
    clearTimeout(timer);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const outcomes = await Promise.all(ends);
  const failures = outcomes.flatMap(({ error }, rank) => (error === undefined ? [] : [{ rank, error }]));
  // A rank that was woken because another one failed is not the cause.
  const cause = failures.find(({ error }) => !(isCommunicatorError(error) && error.code === 'aborted')) ?? failures[0];
  if (cause === undefined) return outcomes.map(({ result }) => result);
  const words = endOfJob(board) ?? `rank ${cause.rank} of ${size}: ${messageOf(cause.error)}`;
  throw new CommunicatorError('aborted', `the job was ended: ${words}`, { rank: cause.rank, cause: cause.error });
}

/**
 * The module of a thread calls it once: runs `program` as this thread's rank and passes what it returns to
 * {@link startThreadRanks}.
 * @throws CommunicatorError `unavailable` outside such a thread.
 */
export async function runAsThreadRank(program: (communicator: Communicator, data: unknown) => unknown): Promise<void> {
  if (isMainThread || parentPort === null || !isRankData(workerData)) {
    throw new CommunicatorError(
      'unavailable',
      'runAsThreadRank: this thread was not started by startThreadRanks; start the module with it',
    );
  }
  const { board, rank } = workerData.vastmaxThreadRank;
  using communicator = createTransportCommunicator(new ThreadTransport(board, rank));
  try {
    parentPort.postMessage({ result: await program(communicator, workerData.data) });
  } catch (error) {
    endJob(board, `rank ${rank} of ${board.size}: ${messageOf(error)}`);
    throw error;
  }
}

interface Outcome {
  readonly result?: unknown;
  readonly error?: unknown;
}

/** Settles when the thread has ended; never rejects. */
function endOf(worker: Worker, rank: number, board: SharedBoard): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome: Outcome | undefined;
    worker.on('message', (message: { readonly result: unknown }) => (outcome = message));
    worker.on('error', (error) => (outcome = { error }));
    worker.on('exit', (code) => {
      outcome ??= { error: new Error(`the thread ended with code ${code} before its program did`) };
      if (outcome.error !== undefined) endJob(board, `rank ${rank} of ${board.size}: ${messageOf(outcome.error)}`);
      resolve(outcome);
    });
  });
}

async function firstFailure(ends: readonly Promise<Outcome>[]): Promise<boolean> {
  return new Promise((resolve) => {
    for (const end of ends)
      void end.then(({ error }) => {
        if (error !== undefined) resolve(true);
      });
  });
}

function isRankData(value: unknown): value is RankData {
  return typeof value === 'object' && value !== null && 'vastmaxThreadRank' in value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
