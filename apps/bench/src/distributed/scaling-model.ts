/**
 * What a step would take on networks that are not here: a model on paper, from measured constants.
 *
 *     T(p) = a + b·m + bytes(p)/B + 6·L + 6(p − 1)·o
 *
 * a + b·m is the step of a single rank (a: what every rank repeats, mostly 11d³; b: each example), measured at two
 * sizes of the minibatch. bytes(p) are the rows and sums that a rank sends. L and B are the network's, stated, not
 * measured; o is what the software needs for one message, measured here. Nothing overlaps with anything, no rank is
 * late, and the network gives every rank its bandwidth at once: a real step is slower.
 */
export interface ModelConstants {
  readonly features: number;
  /** a, for a rank. */
  readonly fixedMs: number;
  /** b. */
  readonly exampleMs: number;
  /** Distinct classes of an example, C/m. */
  readonly touchedShare: number;
  /** o. */
  readonly messageMicroseconds: number;
}

export interface Network {
  readonly name: string;
  readonly latencyMicroseconds: number;
  readonly bytesPerSecond: number;
}

export const networks: readonly Network[] = [
  { name: '10 GbE', latencyMicroseconds: 30, bytesPerSecond: 1.1e9 },
  { name: '100 Gb InfiniBand', latencyMicroseconds: 2, bytesPerSecond: 11e9 },
];

export interface ModelRow {
  readonly network: string;
  readonly ranks: number;
  /** m of a rank. */
  readonly batch: number;
  readonly arithmeticMs: number;
  readonly bandwidthMs: number;
  readonly latencyMs: number;
  readonly stepMs: number;
  readonly examplesPerSecond: number;
  /** Of p times the throughput of one rank with the same minibatch for each. */
  readonly efficiency: number;
}

const exchanges = 6;

/**
 * Numbers a rank sends in a step times four: indices, rows there and back, the fused sums, the words of the agreement.
 */
export function bytesOfStep(features: number, touched: number, ranks: number): number {
  const others = (ranks - 1) / ranks;
  const sums = 2 * features ** 2 + 4 * features + ranks;
  return 4 * touched * others * (1 + 2 * features) + 4 * sums * (ranks === 2 ? 1 : 2 * others) + 72 * (ranks - 1);
}

export function modelStep(constants: ModelConstants, network: Network, ranks: number, batch: number): ModelRow {
  const { features, fixedMs, exampleMs, touchedShare, messageMicroseconds } = constants;
  const arithmeticMs = fixedMs + exampleMs * batch;
  const bandwidthMs =
    ranks === 1 ? 0 : (1000 * bytesOfStep(features, touchedShare * batch, ranks)) / network.bytesPerSecond;
  const latencyMs =
    ranks === 1 ? 0 : (exchanges * (network.latencyMicroseconds + (ranks - 1) * messageMicroseconds)) / 1000;
  const stepMs = arithmeticMs + bandwidthMs + latencyMs;
  return {
    network: network.name,
    ranks,
    batch,
    arithmeticMs,
    bandwidthMs,
    latencyMs,
    stepMs,
    examplesPerSecond: (1000 * ranks * batch) / stepMs,
    efficiency: arithmeticMs / stepMs,
  };
}

/**
 * The number of ranks, a power of two, from which on another doubling at so many examples a rank gives less than half
 * of what it should.
 */
export function lastUsefulRanks(
  constants: ModelConstants,
  network: Network,
  batchOf: (ranks: number) => number,
): number {
  let ranks = 1;
  while (ranks < 2 ** 20) {
    const now = modelStep(constants, network, ranks, batchOf(ranks)).examplesPerSecond;
    const doubled = modelStep(constants, network, 2 * ranks, batchOf(2 * ranks)).examplesPerSecond;
    if (doubled < 1.5 * now) return ranks;
    ranks *= 2;
  }
  return ranks;
}
