/** Interactions of users with two tastes, drawn from a seed: what a user of each taste has is easy to learn. */
import { RandomGenerator } from '@vastmax/sparse-data';

export interface Taken {
  readonly user: string;
  readonly item: string;
  readonly time: number;
}

/** Users u0, u2, … take films, u1, u3, … tea, eight of twelve each, in an order that goes round. */
export function drawInteractions(users = 48): Taken[] {
  const random = new RandomGenerator(5);
  return Array.from({ length: users }, (_, user) => {
    const start = random.integer(12);
    return Array.from({ length: 8 }, (__, i) => ({
      user: `u${user}`,
      item: `${user % 2 === 0 ? 'film' : 'tea'} ${(start + i) % 12}`,
      time: 1000 * i + user,
    }));
  }).flat();
}

export const asCsv = (taken: readonly Taken[]): string =>
  `user,item,time\n${taken.map(({ user, item, time }) => `${user},${item},${time}\n`).join('')}`;
