import type { Communicator } from './communicator.ts';

/**
 * What each rank says, in the order of the ranks: for the few words of a checkpoint or a report, not for numbers. A
 * collective.
 * @param value plain JSON.
 */
export function gatherJson<Value>(communicator: Communicator, value: Value): Value[] {
  const own = new TextEncoder().encode(JSON.stringify(value));
  const lengths = new Int32Array(communicator.size);
  communicator.allGather(Int32Array.of(own.length), new Int32Array(communicator.size).fill(1), lengths);
  const all = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  communicator.allGather(own, lengths, all);
  let place = 0;
  return Array.from(
    lengths,
    (length) => JSON.parse(new TextDecoder().decode(all.subarray(place, (place += length)))) as Value,
  );
}
