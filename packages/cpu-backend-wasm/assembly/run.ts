/**
 * Running a job. Chunks are taken, not dealt: whoever is free takes the next by one compare-and-exchange on the ticket,
 * so a worker that still sleeps, or that the system has put aside, delays nobody, and a thread more than there are
 * cores costs little. The ticket holds the job's serial number too: an exchange that succeeds proves that the job is
 * still the one seen, and from then on its arguments stay, because the main thread goes on only when every chunk is
 * finished. Rejected: equal shares with a barrier, as fast on an idle machine, but as slow as its slowest thread on any
 * other.
 */
import { runChunk } from './chunks';
import { now } from './clock';
import {
  doneAt,
  jobChunks,
  jobKernel,
  lostAt,
  patienceAt,
  setJob,
  sleepingAt,
  stopAt,
  threadsAt,
  ticketAt,
} from './job';

/**
 * How often a worker looks for a job before it sleeps: about 0.1 ms, longer than the pauses between the kernels of a
 * training step.
 */
const workerSpins: i32 = 40_000;
/** Waking takes a system call and the worker some 50 µs to come: not for less than this many chunks of some 10 µs. */
const worthWaking: i32 = 6;
/**
 * How often the main thread looks for the end of a job between two looks at the clock: about as long as a chunk takes.
 */
const spinsPerLook: i32 = 4096;
/** A look that took longer means that this thread was put aside (or the machine slept): no proof against the others. */
const longestLook: f64 = 50;

/** Whether there are threads to share a job with. */
export function isShared(): bool {
  return ASC_FEATURE_THREADS && load<i32>(threadsAt) >= 2 && !load<i32>(lostAt);
}

/** Run all chunks of a kernel whose arguments are set. Returns when they are finished. */
export function run(kernel: i32, chunks: i32): void {
  if (!ASC_FEATURE_THREADS || chunks < 2 || !isShared()) {
    for (let chunk = 0; chunk < chunks; chunk++) runChunk(kernel, chunk, chunks, 0);
    return;
  }
  runShared(kernel, chunks);
}

/** Get the workers out of their sleep for a sequence of jobs that is worth it. */
export function wake(): void {
  if (ASC_FEATURE_THREADS) {
    if (load<i32>(threadsAt) < 2 || !atomic.load<i32>(sleepingAt)) return;
    // Another serial number, so that a worker which is about to wait does not.
    atomic.add<u64>(ticketAt, 1 << 32);
    rouse();
  }
}

/** Once the ticket has changed. One call is enough, however long they take to come. */
function rouse(): void {
  if (!atomic.load<i32>(sleepingAt)) return;
  atomic.store<i32>(sleepingAt, 0);
  atomic.notify(ticketAt + 4);
}

function runShared(kernel: i32, chunks: i32): void {
  setJob(kernel, chunks);
  atomic.store<i32>(doneAt, 0);
  const serial = ((atomic.load<u64>(ticketAt) >> 32) + 1) << 32;
  atomic.store<u64>(ticketAt, serial | (<u64>chunks));
  if (chunks >= worthWaking) rouse();
  let mine = 0;
  for (let chunk = take(); chunk >= 0; chunk = take(), mine++) runChunk(kernel, chunk, chunks, 0);
  if (!waitFor(chunks - mine)) store<i32>(lostAt, 1);
}

/** The next chunk of the job there is, -1 when all are taken. */
function take(): i32 {
  while (true) {
    const ticket = atomic.load<u64>(ticketAt);
    const left = <i32>ticket;
    if (left == 0) return -1;
    if (atomic.cmpxchg<u64>(ticketAt, ticket, ticket - 1) == ticket) return jobChunks() - left;
  }
}

/**
 * Wait until the others have finished `count` chunks; false when none of them has got on for longer than the patience.
 */
function waitFor(count: i32): bool {
  let known = -1;
  let spins = 0;
  let last: f64 = 0;
  let waited: f64 = 0;
  while (true) {
    const done = atomic.load<i32>(doneAt);
    if (done == count) return true;
    if (++spins < spinsPerLook) continue;
    spins = 0;
    const time = now();
    waited = done == known ? waited + min(time - last, longestLook) : 0;
    if (waited > <f64>load<i32>(patienceAt)) return false;
    known = done;
    last = time;
  }
}

/** What a worker does from its start to its end. @param thread from 1 on; the main thread is 0 */
export function work(thread: i32): void {
  let spins = 0;
  while (true) {
    const chunk = take();
    if (chunk >= 0) {
      runChunk(jobKernel(), chunk, jobChunks(), thread);
      atomic.add<i32>(doneAt, 1);
      spins = 0;
      continue;
    }
    if (++spins < workerSpins) continue;
    spins = 0;
    const serial = <i32>(atomic.load<u64>(ticketAt) >> 32);
    atomic.store<i32>(sleepingAt, 1);
    // A job that has come since has chunks left or another serial number: the wait is left out or ends at once.
    if (!atomic.load<i32>(stopAt) && <i32>atomic.load<u64>(ticketAt) == 0) atomic.wait<i32>(ticketAt + 4, serial);
    if (atomic.load<i32>(stopAt)) return;
  }
}
