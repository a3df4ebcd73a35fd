import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { chooseThreadCount } from '../src/thread-count.ts';

/** A library that was built for so many threads. */
function libraryFor(most: number): {
  readonly path: string;
  readonly threads: { get(): number; set(count: number): void };
} {
  let count = 1;
  return {
    path: 'libblas.so',
    threads: {
      get: () => count,
      set: (wanted) => {
        count = Math.min(wanted, most);
      },
    },
  };
}

describe('chooseThreadCount', () => {
  it('takes as many as are wanted, or as there are cores, and leaves the count of the process alone', () => {
    const library = libraryFor(4096);
    expect(chooseThreadCount(library, 1)).toBe(1);
    expect(chooseThreadCount(library, 900)).toBe(900);
    expect(chooseThreadCount(library, undefined)).toBe(availableParallelism());
    expect(library.threads.get()).toBe(1);
  });

  it('takes fewer where the library has fewer, unless they were asked for', () => {
    expect(chooseThreadCount(libraryFor(1), undefined)).toBe(1);
    expect(() => chooseThreadCount(libraryFor(64), 65)).toThrow(
      'createOpenBlasBackend: threads is 65, but libblas.so was built for at most 64',
    );
  });

  it('has none where the library cannot be told', () => {
    const library = { path: 'libblas.so.3', threads: undefined };
    expect(chooseThreadCount(library, undefined)).toBeUndefined();
    expect(() => chooseThreadCount(library, 2)).toThrow(
      'threads is 2, but the thread count of libblas.so.3 cannot be set from here',
    );
  });
});
