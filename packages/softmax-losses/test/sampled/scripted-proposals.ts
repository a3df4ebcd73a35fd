/** Proposals without chance: what they draw is known, so a sampled loss can be compared exactly. */
import type { FixedProposal, QueryProposal } from '@vastmax/softmax-losses';
import type { RandomGenerator } from '@vastmax/sparse-data';

/** Draws class 0, 1, 2 … and so every class exactly once in D draws, with n·P = 1: the sampled sum is the whole sum. */
export function enumeratingProposal(classes: number): FixedProposal {
  return {
    kind: 'fixed',
    name: 'enumerating',
    classes,
    options: {},
    draw: (count, _random, classesOut, offset) => {
      for (let i = 0; i < count; i++) classesOut[offset + i] = i % classes;
    },
    logProbability: () => -Math.log(classes),
  };
}

/** A given distribution of which it draws a given list, over and over. */
export function listedProposal(probabilities: readonly number[], list: readonly number[]): FixedProposal {
  return {
    kind: 'fixed',
    name: 'listed',
    classes: probabilities.length,
    options: {},
    draw: (count, _random, classesOut, offset) => {
      for (let i = 0; i < count; i++) classesOut[offset + i] = list[i % list.length]!;
    },
    logProbability: (target) => Math.log(probabilities[target]!),
  };
}

export interface RecordingProposal extends QueryProposal {
  /** classes×width, as it was told. */
  readonly vectors: () => Float64Array;
  /** Classes of each call of classesChanged. */
  readonly changes: readonly (readonly number[])[];
}

/** P(i) ∝ exp(query·vector_i/2), summed up honestly in O(D) from the vectors that it was told. */
export function recordingProposal(classes: number, width: number): RecordingProposal {
  let vectors = new Float64Array(0);
  const changes: number[][] = [];
  const probabilitiesFor = (query: ArrayLike<number>, at: number): Float64Array => {
    const scores = new Float64Array(classes);
    for (let k = 0; k < classes; k++) {
      for (let i = 0; i < width; i++) scores[k]! += 0.5 * query[at + i]! * vectors[k * width + i]!;
      scores[k] = Math.exp(scores[k]!);
    }
    const sum = scores.reduce((total, score) => total + score, 0);
    return scores.map((score) => score / sum);
  };
  return {
    kind: 'query',
    name: 'recording',
    classes,
    options: {},
    vectors: () => vectors,
    changes,
    rebuild: async (source) => {
      const all: number[] = [];
      for (let first = 0; first < classes; first += 4) {
        const count = Math.min(4, classes - first);
        all.push(...(await source.read(first, count)).subarray(0, count * width));
      }
      vectors = Float64Array.from(all);
    },
    draw: (queries, examples, count, random: RandomGenerator, classesOut, logProbabilitiesOut) => {
      for (let example = 0, to = 0; example < examples; example++) {
        const probabilities = probabilitiesFor(queries, example * width);
        for (let i = 0; i < count; i++, to++) {
          let left = random.uniform();
          let drawn = 0;
          while (drawn < classes - 1 && left >= probabilities[drawn]!) left -= probabilities[drawn++]!;
          classesOut[to] = drawn;
          logProbabilitiesOut[to] = Math.log(probabilities[drawn]!);
        }
      }
    },
    classesChanged: (changed, count, rows) => {
      changes.push(Array.from(changed.subarray(0, count)));
      for (let i = 0; i < count; i++) vectors.set(rows.subarray(i * width, (i + 1) * width), changed[i]! * width);
    },
  };
}
