/**
 * What every communicator must do, as data: a case is run by all ranks of a job at once and throws on a rank where
 * something is wrong. The same list runs in one process, on threads and under mpirun.
 */
import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert';
import { compareRanks, isCommunicatorError, type Communicator, type CommunicatorArray } from '@vastmax/collectives';

export interface CommunicatorCase {
  readonly id: string;
  readonly run: (communicator: Communicator) => void;
}

const kinds = [Float32Array, Float64Array, Int32Array, Uint8Array] as const;

/** A number that says where it comes from, small enough for a byte. */
function sample(rank: number, to: number, i: number): number {
  return (rank * 31 + to * 7 + i * 3) % 251;
}

function filled<Values extends CommunicatorArray>(values: Values, valueOf: (i: number) => number): Values {
  for (let i = 0; i < values.length; i++) values[i] = valueOf(i);
  return values;
}

/** Numbers whose sum depends on the order: large, small and of both signs. */
function uneven(rank: number, i: number): number {
  return Math.sin(rank * 12.9 + i * 78.2) * 10 ** ((rank * 5 + i) % 9);
}

function sumsCase(length: number, kind: typeof Float32Array | typeof Float64Array): CommunicatorCase {
  return {
    id: `allReduce/${kind.name}/${length}`,
    run: (communicator) => {
      const { rank, size } = communicator;
      const values = filled(new kind(length), (i) => uneven(rank, i));
      communicator.allReduce(values);
      // Naively, in the order of the ranks, in f64.
      const rounded = (r: number, i: number): number => new kind([uneven(r, i)])[0]!;
      const expected = filled(new kind(length), (i) => {
        let sum = 0;
        for (let r = 0; r < size; r++) sum += rounded(r, i);
        return sum;
      });
      deepStrictEqual(values, size === 1 ? filled(new kind(length), (i) => uneven(0, i)) : expected);
      // Bitwise the same everywhere.
      const all = new Uint8Array(values.byteLength * size);
      communicator.allGather(new Uint8Array(values.buffer), new Int32Array(size).fill(values.byteLength), all);
      for (let r = 0; r < size; r++)
        deepStrictEqual(
          all.subarray(r * values.byteLength, (r + 1) * values.byteLength),
          new Uint8Array(values.buffer),
        );
    },
  };
}

export const communicatorCases: readonly CommunicatorCase[] = [
  {
    id: 'ranks/are-numbered-from-0',
    run: (communicator) => {
      const { rank, size } = communicator;
      const all = new Int32Array(size);
      communicator.allGather(Int32Array.of(rank), new Int32Array(size).fill(1), all);
      deepStrictEqual(
        all,
        filled(new Int32Array(size), (r) => r),
      );
    },
  },
  ...[0, 1, 3, 1000, 5000, 30_001].flatMap((length) => [
    sumsCase(length, Float32Array),
    sumsCase(length, Float64Array),
  ]),
  {
    id: 'allReduce/part-of-a-buffer',
    run: (communicator) => {
      const whole = new Float64Array(20).fill(1);
      communicator.allReduce(whole.subarray(3, 7));
      deepStrictEqual(
        whole,
        filled(new Float64Array(20), (i) => (i >= 3 && i < 7 ? communicator.size : 1)),
      );
    },
  },
  ...kinds.flatMap((kind): CommunicatorCase[] => [
    {
      id: `allGather/uneven/${kind.name}`,
      run: (communicator) => {
        const { rank, size } = communicator;
        // Rank 1 brings nothing.
        const counts = filled(new Int32Array(size), (r) => (r === 1 ? 0 : 3 * r + 2));
        const total = counts.reduce((sum, count) => sum + count, 0);
        const out = new kind(total + 2).fill(9);
        communicator.allGather(
          filled(new kind(counts[rank]!), (i) => sample(rank, 0, i)),
          counts,
          out,
        );
        const expected = [...counts].flatMap((count, r) => Array.from({ length: count }, (_, i) => sample(r, 0, i)));
        deepStrictEqual(Array.from(out), [...expected, 9, 9]);
      },
    },
    {
      id: `allToAll/uneven/${kind.name}`,
      run: (communicator) => {
        const { rank, size } = communicator;
        const countOf = (from: number, to: number): number =>
          from === to && from % 2 === 1 ? 0 : ((from + 2 * to) % 4) * 5;
        const sendCounts = filled(new Int32Array(size), (to) => countOf(rank, to));
        const receiveCounts = filled(new Int32Array(size), (from) => countOf(from, rank));
        const send = kind.from(
          [...sendCounts].flatMap((count, to) => Array.from({ length: count }, (_, i) => sample(rank, to, i))),
        );
        const expected = [...receiveCounts].flatMap((count, from) =>
          Array.from({ length: count }, (_, i) => sample(from, rank, i)),
        );
        const receive = new kind(expected.length + 1).fill(5);
        communicator.allToAll(send, sendCounts, receive, receiveCounts);
        deepStrictEqual(Array.from(receive), [...expected, 5]);
      },
    },
    {
      id: `broadcast/${kind.name}`,
      run: (communicator) => {
        for (let root = 0; root < communicator.size; root++) {
          const values = filled(new kind(17), (i) => sample(communicator.rank, 1, i));
          communicator.broadcast(values, root);
          deepStrictEqual(
            values,
            filled(new kind(17), (i) => sample(root, 1, i)),
          );
        }
      },
    },
  ]),
  {
    id: 'allToAll/longer-than-a-window',
    run: (communicator) => {
      const { rank, size } = communicator;
      const counts = (other: number): Int32Array =>
        filled(new Int32Array(size), (r) => 60_000 + 1000 * Math.min(r, other) + Math.max(r, other));
      const total = counts(rank).reduce((sum, count) => sum + count, 0);
      const send = new Float64Array(total).fill(rank);
      const receive = new Float64Array(total);
      communicator.allToAll(send, counts(rank), receive, counts(rank));
      let place = 0;
      counts(rank).forEach((count, from) => {
        for (let i = 0; i < count; i++)
          if (receive[place++] !== from) throw new Error(`number ${i} from rank ${from} is ${receive[place - 1]!}`);
      });
    },
  },
  {
    // Open MPI 4.1.4's own MPI_Ialltoallv makes the calls after this one hang.
    id: 'allToAll/a-rank-with-nothing-to-send-or-receive',
    run: (communicator) => {
      const { rank, size } = communicator;
      const idle = size - 1;
      for (let round = 0; round < 20; round++) {
        const counts = filled(new Int32Array(size), (other) =>
          other === idle || rank === idle ? 0 : ((other + rank + round) % 3) * 4,
        );
        const total = counts.reduce((sum, count) => sum + count, 0);
        const receive = new Float32Array(total);
        communicator.allToAll(new Float32Array(total).fill(rank), counts, receive, counts);
        deepStrictEqual(
          Array.from(receive),
          [...counts].flatMap((count, from) => Array.from({ length: count }, () => from)),
        );
        const sum = Float64Array.of(rank);
        communicator.allReduce(sum);
        strictEqual(sum[0], (size * (size - 1)) / 2);
      }
    },
  },
  {
    id: 'barrier/nobody-leaves-before-all-have-come',
    run: (communicator) => {
      // What is gathered before the barrier is the same after it, many times over: rounds do not run into each other.
      const { rank, size } = communicator;
      const all = new Int32Array(size);
      for (let round = 0; round < 50; round++) {
        communicator.barrier();
        communicator.allGather(Int32Array.of(round * size + rank), new Int32Array(size).fill(1), all);
        deepStrictEqual(
          all,
          filled(new Int32Array(size), (r) => round * size + r),
        );
      }
    },
  },
  {
    id: 'traffic/counts-what-goes-to-other-ranks',
    run: (communicator) => {
      const { rank, size } = communicator;
      const before = communicator.traffic;
      communicator.allGather(
        new Float64Array(rank),
        filled(new Int32Array(size), (r) => r),
        new Float64Array((size * (size - 1)) / 2),
      );
      communicator.allToAll(
        new Float32Array(2 * size),
        new Int32Array(size).fill(2),
        new Float32Array(2 * size),
        new Int32Array(size).fill(2),
      );
      const { bytesSent, messagesSent, calls, milliseconds } = communicator.traffic;
      const others = size - 1;
      strictEqual(bytesSent - before.bytesSent, 8 * rank * others + 8 * others);
      strictEqual(messagesSent - before.messagesSent, (rank === 0 ? 0 : others) + others);
      strictEqual(calls - before.calls, 2);
      ok(milliseconds >= before.milliseconds);
    },
  },
  {
    id: 'errors/wrong-sizes-are-refused-before-anything-is-sent',
    run: (communicator) => {
      const { rank, size } = communicator;
      const ones = new Int32Array(size).fill(1);
      const refused = (action: () => void, words: RegExp): void => {
        throws(action, (error) => isCommunicatorError(error) && error.code === 'shape' && words.test(error.message));
      };
      refused(() => {
        communicator.allGather(new Float32Array(2), ones, new Float32Array(size));
      }, /has 2 numbers, counts says 1/);
      refused(() => {
        communicator.allGather(new Float32Array(1), ones, new Float32Array(size - 1));
      }, /has \d+ numbers, the counts add up to \d+/);
      refused(() => {
        communicator.allToAll(new Float32Array(size), ones.subarray(1), new Float32Array(size), ones);
      }, /sendCounts must be \d+ numbers/);
      refused(() => {
        communicator.broadcast(new Float32Array(1), size);
      }, /root is \d+, the ranks are 0 to/);
      // Everybody is still in step.
      const values = Float64Array.of(rank);
      communicator.allReduce(values);
      strictEqual(values[0], (size * (size - 1)) / 2);
    },
  },
  {
    id: 'compare-ranks/equal-records-pass',
    run: (communicator) => {
      const record = { seed: 1, name: 'a', nested: { rates: [0.1, 2], absent: undefined } };
      compareRanks(communicator, 'training', record);
    },
  },
  {
    id: 'compare-ranks/a-difference-is-named-with-both-values-and-all-ranks',
    run: (communicator) => {
      const { rank, size } = communicator;
      const isLast = rank === size - 1;
      const compare = (): void => {
        compareRanks(communicator, 'training', {
          seed: isLast ? 2 : 1,
          same: 'everywhere',
          model: { order: isLast ? undefined : 3, kind: isLast ? 'bag' : 'ngram' },
          // Longer on one rank: the records need not have one length.
          ...(isLast ? { only: 'x'.repeat(1000) } : {}),
        });
      };
      if (size === 1) {
        compare();
        return;
      }
      const others = size === 2 ? 'rank 0' : `ranks ${Array.from({ length: size - 1 }, (_, r) => r).join(', ')}`;
      throws(compare, (error) => {
        ok(isCommunicatorError(error));
        strictEqual(error.code, 'mismatch');
        strictEqual(
          error.message,
          `training: the ranks differ: seed is 1 on ${others} and 2 on rank ${size - 1}; ` +
            `model.order is 3 on ${others} and not given on rank ${size - 1}; ` +
            `model.kind is "ngram" on ${others} and "bag" on rank ${size - 1}; ` +
            `only is not given on ${others} and "${'x'.repeat(99)}… on rank ${size - 1}; all ranks must be given the same`,
        );
        return true;
      });
      // The ranks are still in step.
      communicator.barrier();
    },
  },
];
