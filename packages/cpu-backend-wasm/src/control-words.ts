/**
 * The words at the beginning of a shared memory through which the host controls assembly/run.ts, as numbered in
 * assembly/job.ts.
 */
import type { WasmMemory } from './web-assembly.ts';

const serialWord = 132 / 4;
const threadsWord = 448 / 4;
const stopWord = 452 / 4;
const lostWord = 456 / 4;
const timeoutWord = 464 / 4;

/**
 * Default timeout: how long the main thread waits while no worker finishes a chunk. A thousand times what a chunk
 * takes.
 */
const defaultTimeoutMs = 5000;

function wordsOf(memory: WasmMemory): Int32Array {
  return new Int32Array(memory.buffer, 0, 256);
}

/** Sets how many threads share a job from now on. */
export function shareJobs(memory: WasmMemory, threads: number, timeoutMs: number = defaultTimeoutMs): void {
  const words = wordsOf(memory);
  words[timeoutWord] = timeoutMs;
  words[threadsWord] = threads;
}

/** In milliseconds. */
export function timeoutOf(memory: WasmMemory): number {
  return wordsOf(memory)[timeoutWord] ?? defaultTimeoutMs;
}

/** From now on the main thread computes alone. */
export function markLost(memory: WasmMemory): void {
  Atomics.store(wordsOf(memory), lostWord, 1);
}

/** True when a chunk was not finished in time, or `markLost` was called. */
export function isLost(memory: WasmMemory): boolean {
  return Atomics.load(wordsOf(memory), lostWord) === 1;
}

/** Makes all workers leave their loop, sleeping ones included. */
export function stopWorkers(memory: WasmMemory): void {
  const words = wordsOf(memory);
  Atomics.store(words, stopWord, 1);
  Atomics.add(words, serialWord, 1);
  Atomics.notify(words, serialWord);
}
