import { describe, expect, it } from 'vitest';
import { type TimedTask, timeInterleaved, timingOf } from '../../src/measurement/interleaved-timing.ts';

function recorder(log: string[]): (name: string, sampleMs?: number) => TimedTask {
  return (name, sampleMs) => ({
    name,
    ...(sampleMs === undefined ? {} : { sampleMs }),
    run: (times) => {
      log.push(times === 1 ? name : `${name}×${times}`);
      return Promise.resolve();
    },
  });
}

describe('timeInterleaved', () => {
  it('warms up, then takes turns, every other round backwards', async () => {
    const log: string[] = [];
    const task = recorder(log);
    const rounds: number[] = [];
    const timings = await timeInterleaved([task('a'), task('b'), task('c')], {
      warmup: 2,
      rounds: 3,
      onRound: (round) => {
        rounds.push(round);
      },
    });
    expect(log).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'a', 'b', 'c', 'c', 'b', 'a', 'a', 'b', 'c']);
    expect(rounds).toEqual([1, 2, 3]);
    expect([...timings.keys()]).toEqual(['a', 'b', 'c']);
    expect(timingOf(timings, 'b').samples).toBe(3);
  });

  it('repeats what is short within a sample', async () => {
    const log: string[] = [];
    await timeInterleaved([recorder(log)('short', 1000)], { warmup: 0, rounds: 3 });
    const sampled = log.slice(-3);
    expect(new Set(sampled).size, 'the same number of times in every sample').toBe(1);
    // What takes no time at all is repeated up to a bound.
    expect(sampled[0]).toBe(`short×${2 ** 20}`);
  });

  it('takes at least three rounds however little time there is', async () => {
    const log: string[] = [];
    const timings = await timeInterleaved([recorder(log)('a')], { warmup: 0, rounds: 50, seconds: 1e-9 });
    expect(timingOf(timings, 'a').samples).toBe(3);
  });

  it('knows no other names', async () => {
    const timings = await timeInterleaved([recorder([])('a')], { warmup: 0, rounds: 3 });
    expect(() => timingOf(timings, 'b')).toThrow("nothing called 'b' was timed; there are a");
  });
});
