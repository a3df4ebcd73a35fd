/**
 * The words at the beginning of a shared memory through which the host controls assembly/run.ts, as numbered in
 * assembly/job.ts.
 */
import type { WasmMemory } from './web-assembly.ts';

const serialWord = 132 / 4;
const threadsWord = 448 / 4;
const stopWord = 452 / 4;
const lostWord = 456 / 4;
const patienceWord = 464 / 4;

/** How long the main thread waits while no worker finishes a chunk: a thousand times what one takes. */
const usualPatience = 5000;

function wordsOf(memory: WasmMemory): Int32Array {
  return new Int32Array(memory.buffer, 0, 256);
}

/** Sets how many threads share a job from now on. */
export function shareJobs(memory: WasmMemory, threads: number, patience: number = usualPatience): void {
  const words = wordsOf(memory);
  words[patienceWord] = patience;
  words[threadsWord] = threads;
}

/** In milliseconds. */
export function patienceOf(memory: WasmMemory): number {
  return wordsOf(memory)[patienceWord] ?? usualPatience;
}

/** From now on the main thread works alone. */
export function markLost(memory: WasmMemory): void {
  Atomics.store(wordsOf(memory), lostWord, 1);
}

/** True when a chunk was not finished in time, or `markLost` was called. */
export function isLost(memory: WasmMemory): boolean {
  return Atomics.load(wordsOf(memory), lostWord) === 1;
}

/** Makes all workers leave their loop, sleeping ones included. */
export function sendHome(memory: WasmMemory): void {
  const words = wordsOf(memory);
  Atomics.store(words, stopWord, 1);
  Atomics.add(words, serialWord, 1);
  Atomics.notify(words, serialWord);
}
