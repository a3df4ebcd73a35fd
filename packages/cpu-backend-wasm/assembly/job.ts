/**
 * The job that all threads work on, at fixed places below the first block of the heap (`firstOffset` of src/heap.ts).
 * One job at a time: the number of a kernel and its arguments, cut into chunks. How a job is cut depends on its size
 * alone, never on the number of threads, and no chunk adds to what another has written: so the results are the same to
 * the last bit for any number of threads.
 */

/**
 * u64: the job's serial number in the upper half, how many chunks nobody has taken yet in the lower one. A cache line
 * of its own.
 */
export const ticketAt: usize = 128;
/** i32: how many chunks others than the main thread have finished. */
export const doneAt: usize = 256;
/** i32: 1 when some worker sleeps until the ticket changes, or is about to. */
export const sleepingAt: usize = 384;
/** i32: how many threads there are; 0 and 1 mean that the main thread is alone. Written by src/control-words.ts. */
export const threadsAt: usize = 448;
/** i32: 1 when workers have to leave. */
export const stopAt: usize = 452;
/** i32: 1 when a worker did not finish its chunk in time: the main thread then works alone, and reading rejects. */
export const lostAt: usize = 456;
/**
 * i32: for how many milliseconds the main thread waits while no worker finishes a chunk. Written by
 * src/control-words.ts.
 */
export const patienceAt: usize = 464;
const kernelAt: usize = 512;
const chunksAt: usize = 516;
const argumentsAt: usize = 520;
/** f64 for each chunk of a sum over everything. */
export const partialsAt: usize = 1024;
export const maxPartials: i32 = 64;
/** Vectors of constants of the running kernel, at most 32. */
export const constantsAt: usize = 1536;

/** Numbers of the kernels that are cut into chunks; chunks.ts says what each does. */
export const axpyJob: i32 = 0;
export const affineJob: i32 = 1;
export const unaryJob: i32 = 2;
export const binaryFlatJob: i32 = 3;
export const binaryRowsJob: i32 = 4;
export const rowDotJob: i32 = 5;
export const reduceRowsJob: i32 = 6;
export const reduceAllJob: i32 = 7;
export const reduceColumnsJob: i32 = 8;
export const mirrorAddJob: i32 = 9;
export const packJob: i32 = 10;
export const tilesJob: i32 = 11;
export const vectorJob: i32 = 12;
export const vectorTransposedJob: i32 = 13;
export const outerJob: i32 = 14;
export const trailingJob: i32 = 15;
export const substituteJob: i32 = 16;
export const gatherRowsJob: i32 = 17;
export const updateRowsJob: i32 = 18;
export const addRowsJob: i32 = 19;
export const gatheredRowDotJob: i32 = 20;
export const exponentiateRowsJob: i32 = 21;
export const hostJob: i32 = 22;
export const exponentiateRangesJob: i32 = 23;
export const combineRangesJob: i32 = 24;
export const updateRangesJob: i32 = 25;
export const leastSquaresRowsJob: i32 = 26;
export const quantizeRowsJob: i32 = 27;
export const quantizedProductsJob: i32 = 28;
export const normalRowsJob: i32 = 29;

export function setJob(kernel: i32, chunks: i32): void {
  store<i32>(kernelAt, kernel);
  store<i32>(chunksAt, chunks);
}

export function jobKernel(): i32 {
  return load<i32>(kernelAt);
}

export function jobChunks(): i32 {
  return load<i32>(chunksAt);
}

/** An offset, size or flag among the arguments; slots of eight bytes. */
export function setArgument(slot: usize, value: usize): void {
  store<usize>(argumentsAt + (slot << 3), value);
}

export function argument(slot: usize): usize {
  return load<usize>(argumentsAt + (slot << 3));
}

/** The same as a signed number. */
export function size(slot: usize): i32 {
  return load<i32>(argumentsAt + (slot << 3));
}

/** Where an argument is, for what reads several of them. */
export function argumentAt(slot: usize): usize {
  return argumentsAt + (slot << 3);
}

/** A real number among the arguments; an f32 is kept exactly. */
export function setReal(slot: usize, value: f64): void {
  store<f64>(argumentsAt + (slot << 3), value);
}

export function real(slot: usize): f64 {
  return load<f64>(argumentsAt + (slot << 3));
}
