/** The bench at a tiny size, and the arithmetic of its model. */
import { probeMpi } from '@vastmax/collectives';
import { describe, expect, it } from 'vitest';
import {
  bytesOfStep,
  lastUsefulRanks,
  modelStep,
  networks,
  type ModelConstants,
} from '../../src/distributed/scaling-model.ts';
import { measureDistributed, type DistributedOptions } from '../../src/distributed/measure.ts';
import { distributedTables } from '../../src/distributed/report.ts';

const tiny: DistributedOptions = {
  layer: 'factored',
  classes: [20_000, 10_000],
  ranks: 2,
  features: 8,
  batch: 40,
  rounds: 2,
  steps: 4,
  transports: ['threads'],
  model: true,
};
const silent = (): void => undefined;

describe('bench distributed', () => {
  it('has a row for each height, whose bytes and messages are the same, and a model', async () => {
    const report = await measureDistributed(tiny, silent);
    expect(report.rows.map(({ classes, ranks, transport }) => [classes, ranks, transport])).toEqual([
      [10_000, 2, 'threads'],
      [20_000, 2, 'threads'],
    ]);
    const [low, high] = report.rows;
    expect(high?.bytesSentPerStep).toBe(low?.bytesSentPerStep);
    expect(high?.messagesPerStep).toBe(low?.messagesPerStep);
    expect(low?.rowBytesPerRank).toEqual([160_000, 160_000]);
    expect((low?.bytesSentPerStep ?? 0) / bytesOfStep(8, low?.touchedClasses ?? 0, 2)).toBeCloseTo(1, 0);
    expect(low?.communicationShare).toBeGreaterThan(0);
    expect(low?.communicationShare).toBeLessThan(1);
    expect(high?.lastLoss).toBeLessThan(high?.firstLoss ?? 0);
    expect(report.jobs[0]?.residentBytes).toHaveLength(2);
    expect(report.model?.constants.exampleMs).toBeGreaterThanOrEqual(0);
    expect(report.model?.rows).toHaveLength(10);
    expect(distributedTables(report)).toContain('A model, not a measurement');
  });

  it('runs over mpirun, and leaves the model out', async ({ skip }) => {
    const probe = await probeMpi();
    if (!probe.available) {
      if (/\bmpi\b/.test(process.env['REQUIRE_BACKENDS'] ?? ''))
        throw new Error(`REQUIRE_BACKENDS names mpi, but it is unavailable: ${probe.reason}`);
      skip(`unavailable: ${probe.reason}`);
    }
    const report = await measureDistributed({ ...tiny, transports: ['shared-memory', 'tcp'], model: false }, silent);
    expect(report.rows.map(({ transport }) => transport)).toEqual(['shared-memory', 'shared-memory', 'tcp', 'tcp']);
    expect(new Set(report.rows.map(({ bytesSentPerStep }) => bytesSentPerStep)).size).toBe(1);
    expect(report.jobs[0]?.communicator).toMatch(/Open MPI .*, 2 ranks/);
    expect(report.model).toBeNull();
  });
});

describe('the model', () => {
  const constants: ModelConstants = {
    features: 100,
    fixedMs: 2,
    exampleMs: 0.01,
    touchedShare: 0.5,
    messageMicroseconds: 5,
  };
  const [ethernet, infiniband] = networks;

  it('is the arithmetic alone for one rank, and adds what the formula says for more', () => {
    if (ethernet === undefined || infiniband === undefined) throw new Error('there must be two networks');
    expect(modelStep(constants, ethernet, 1, 100)).toMatchObject({
      stepMs: 3,
      efficiency: 1,
      bandwidthMs: 0,
      latencyMs: 0,
    });
    const row = modelStep(constants, ethernet, 4, 100);
    // 50 rows of 100 there and back with their indices, 20,404 numbers of sums twice, three quarters of each; the
    // agreement's 72 bytes to three.
    expect(bytesOfStep(100, 50, 4)).toBe(0.75 * 4 * 50 * 201 + 0.75 * 2 * 4 * 20_404 + 216);
    expect(row.bandwidthMs).toBeCloseTo((1000 * bytesOfStep(100, 50, 4)) / 1.1e9, 12);
    expect(row.latencyMs).toBeCloseTo((6 * (30 + 3 * 5)) / 1000, 12);
    expect(row.stepMs).toBeCloseTo(3 + row.bandwidthMs + row.latencyMs, 12);
    expect(row.examplesPerSecond).toBeCloseTo(400_000 / row.stepMs, 6);
  });

  it('stops where another doubling gains less than half of its share', () => {
    if (ethernet === undefined || infiniband === undefined) throw new Error('there must be two networks');
    const each = (ranks: number): number => 256 + 0 * ranks;
    expect(lastUsefulRanks(constants, infiniband, each)).toBeGreaterThanOrEqual(
      lastUsefulRanks(constants, ethernet, each),
    );
    // Shared out, the part that every rank repeats weighs more with each doubling.
    expect(lastUsefulRanks(constants, infiniband, (ranks) => 4096 / ranks)).toBeLessThan(
      lastUsefulRanks(constants, infiniband, each),
    );
  });
});
