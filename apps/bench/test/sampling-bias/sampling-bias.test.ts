import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainBackend } from '@vastmax/linalg-core';
import { createUniformProposal, createUnigramProposal } from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import { describe, expect, it } from 'vitest';
import { fitLogarithm } from '../../src/sampling-bias/draw-time.ts';
import { estimateBias, type TrainedClasses } from '../../src/sampling-bias/estimate-bias.ts';
import { compareBiases, measureSamplingBias, type SamplingBiasRow } from '../../src/sampling-bias/measure.ts';
import { samplingBiasTables } from '../../src/sampling-bias/report.ts';

function createClasses(classes: number, width: number, queryCount: number): TrainedClasses {
  const random = new RandomGenerator(3);
  const rows = (count: number): Float32Array =>
    Float32Array.from({ length: count * width }, () => random.normal() / Math.sqrt(width));
  const targets = Int32Array.from({ length: queryCount }, () => random.integer(classes));
  return {
    classes,
    width,
    temperature: 3,
    vectors: rows(classes),
    queryCount,
    queries: rows(queryCount),
    targets,
    counts: new Float64Array(classes).fill(1),
  };
}

/** ‖E ĝ − g‖/‖g‖ for one sample by adding up over what it can be. */
function enumerateBias(
  { classes, width, temperature, vectors, queryCount, queries, targets }: TrainedClasses,
  probability: (target: number) => number,
): number {
  let [bias, norm] = [0, 0];
  for (let query = 0; query < queryCount; query++) {
    const target = targets[query]!;
    const vector = (row: number): number[] => [...vectors.subarray(row * width, (row + 1) * width)];
    const terms = Array.from({ length: classes }, (_, row) =>
      Math.exp(temperature * vector(row).reduce((sum, x, i) => sum + x * queries[query * width + i]!, 0)),
    );
    const total = terms.reduce((sum, term) => sum + term, 0);
    const exact = terms.map((term, row) => term / total - (row === target ? 1 : 0));
    const expected = new Array<number>(classes).fill(0);
    for (let drawn = 0; drawn < classes; drawn++) {
      const weight = drawn === target ? 0 : terms[drawn]! / probability(drawn);
      const partition = terms[target]! + weight;
      expected[target]! += probability(drawn) * (terms[target]! / partition - 1);
      expected[drawn]! += probability(drawn) * (weight / partition);
    }
    for (let i = 0; i < width; i++) {
      const inHidden = (gradient: readonly number[]): number =>
        gradient.reduce((sum, g, row) => sum + g * vector(row)[i]!, 0);
      bias += (inHidden(expected) - inHidden(exact)) ** 2;
      norm += inHidden(exact) ** 2;
    }
  }
  return Math.sqrt(bias / norm);
}

describe('the estimate of the bias', () => {
  it('is the bias that enumeration gives, within its standard error', () => {
    const trained = createClasses(6, 4, 5);
    for (const proposal of [createUniformProposal(6), createUnigramProposal([1, 5, 2, 9, 3, 1])]) {
      const expected = enumerateBias(trained, (target) => Math.exp(proposal.logProbability(target)));
      const { relativeBias, standardError, relativeError } = estimateBias(trained, proposal, {
        samples: 1,
        repetitions: 40_000,
        seed: 2,
      });
      expect(expected).toBeGreaterThan(0.1);
      expect(Math.abs(relativeBias - expected)).toBeLessThan(0.01);
      expect(standardError).toBeLessThan(0.2);
      expect(relativeError).toBeGreaterThan(expected);
    }
  });

  it('finds next to none when samples come from the softmax itself, and less with more samples', () => {
    const trained = createClasses(40, 6, 20);
    const biasOf = (samples: number): number =>
      estimateBias(trained, createUniformProposal(40), { samples, repetitions: 4000, seed: 1 }).relativeBias;
    const [few, many] = [biasOf(2), biasOf(50)];
    expect(few).toBeGreaterThan(2 * many);
    expect(estimateBias(trained, 'softmax', { samples: 20, repetitions: 2000, seed: 1 }).relativeBias).toBeLessThan(
      0.02,
    );
  });
});

describe('the report', () => {
  it('fits a logarithm', () => {
    const fit = fitLogarithm([2, 8, 64], [4, 8, 14]);
    expect([fit.slope, fit.intercept, fit.rSquared].map((value) => Number(value.toFixed(12)))).toEqual([2, 2, 1]);
    expect(fitLogarithm([2, 4, 8], [1, 3, 1]).rSquared).toBeCloseTo(0, 12);
  });

  it('calls a bias lower only beyond the standard errors', () => {
    const row = (proposal: string, relativeBias: number, features: number | null = null): SamplingBiasRow => ({
      proposal,
      samples: 10,
      features,
      nu: null,
      relativeBias,
      standardError: 0.05,
      relativeLogitBias: 0,
      relativeError: 1,
      drawMicroseconds: 1,
    });
    const rows = [
      row('uniform', 0.5),
      row('quadratic', 0.3),
      row('random-fourier', 0.4, 64),
      row('random-fourier', 0.25, 128),
    ];
    expect(compareBiases(rows)).toEqual([
      {
        samples: 10,
        features: 128,
        nu: null,
        randomFourier: 0.25,
        uniform: 0.5,
        quadratic: 0.3,
        isBelowUniform: true,
        isBelowQuadratic: false,
      },
    ]);
    expect(compareBiases(rows.slice(1))).toEqual([]);
  });

  it('has a row for each proposal and sample count, and tables of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vastmax-bench-'));
    const file = join(folder, 'text.txt');
    const random = new RandomGenerator(1);
    writeFileSync(
      file,
      Array.from({ length: 400 }, () =>
        Array.from({ length: 10 }, () => `w${Math.floor(30 * random.uniform() ** 2)}`).join(' '),
      ).join('\n'),
    );
    const backend = createPlainBackend();
    const stages = new Set<string>();
    const report = await measureSamplingBias(
      backend,
      {
        data: file,
        classes: 25,
        width: 6,
        temperature: 6,
        seconds: 60,
        examples: 512,
        queries: 4,
        seed: 1,
        samples: [2, 8],
        features: [4, 16],
        nus: [2],
        draws: 100,
        drawTime: { classCounts: [16, 64], width: 4, frequencies: 4, queries: 3, rounds: 1 },
      },
      (stage) => stages.add(stage),
    );
    rmSync(folder, { recursive: true });
    expect([...stages]).toEqual(['text', 'training', 'bias', 'draw time']);
    expect(report.rows.map(({ proposal, samples, features }) => [proposal, samples, features])).toEqual(
      (
        [
          ['softmax', null],
          ['uniform', null],
          ['log-uniform', null],
          ['unigram', null],
          ['quadratic', 22],
          ['random-fourier', 4],
          ['random-fourier', 16],
        ] as const
      ).flatMap(([proposal, features]) => [2, 8].map((samples) => [proposal, samples, features])),
    );
    expect(
      report.rows.every(
        (row) => Number.isFinite(row.relativeBias) && Number.isFinite(row.standardError) && row.relativeError > 0,
      ),
    ).toBe(true);
    expect(report.training).toMatchObject({ classes: 25, width: 6, examples: 512, steps: 2 });
    expect(report.drawTime.map(({ classes }) => classes)).toEqual([16, 64]);
    expect(report.comparison.map(({ samples }) => samples)).toEqual([2, 8]);
    expect(backend.memory()).toMatchObject({ matrices: 0, tables: 0, indices: 0, bytes: 0 });
    const tables = samplingBiasTables({ ...report, backend: { name: 'plain', threads: 1, detail: 'plain f32' } });
    expect(tables).toMatch(/^\| random-fourier, R = 16, ν = 2 +\|/m);
    expect(tables).toContain('log₂ D');
  });
});
