/**
 * `bench sampling-bias`: how far the expected gradient of a sampled softmax is from the exact one, for each proposal,
 * on class vectors trained here; and what a draw from a random Fourier tree costs as the classes grow (A. S. Rawat et
 * al., arXiv:1907.10747, whose claims these are).
 */
import type { Backend } from '@vastmax/linalg-core';
import {
  type ClassVectorSource,
  createLogUniformProposal,
  createQuadraticProposal,
  createRandomFourierProposal,
  createUniformProposal,
  createUnigramProposal,
  type QueryProposal,
} from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { type ModelOptions, trainClasses, type TrainingSummary } from './class-vectors.ts';
import {
  type DrawTimeOptions,
  type DrawTimeRow,
  fitLogarithm,
  type LogarithmicFit,
  measureDrawTimes,
} from './draw-time.ts';
import { type BiasEstimate, estimateBias, type SampledProposal, type TrainedClasses } from './estimate-bias.ts';

export interface SamplingBiasOptions extends ModelOptions {
  readonly samples: readonly number[];
  /** R of the random Fourier features. */
  readonly features: readonly number[];
  readonly nus: readonly number[];
  /** For each query, proposal and n: how many estimates they make follows. */
  readonly draws: number;
  readonly drawTime: DrawTimeOptions;
}

export interface SamplingBiasRow extends BiasEstimate {
  readonly proposal: string;
  /** n, draws for an example. */
  readonly samples: number;
  /**
   * R for random Fourier features (φ has 2R numbers), the numbers in φ for the quadratic kernel, null without features.
   */
  readonly features: number | null;
  /** ν of random Fourier features. */
  readonly nu: number | null;
  /** Of one of n draws for a new query, everything included; null for the softmax itself. */
  readonly drawMicroseconds: number | null;
}

export interface SamplingBiasReport {
  readonly bench: 'sampling-bias';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly training: TrainingSummary;
  readonly temperature: number;
  readonly queries: number;
  readonly rows: readonly SamplingBiasRow[];
  readonly drawTime: readonly DrawTimeRow[];
  /** Microseconds of one draw, and nodes visited, against log₂ D. */
  readonly fit: { readonly microseconds: LogarithmicFit; readonly nodes: LogarithmicFit };
  /** The random Fourier row of the least bias at each n against uniform and quadratic. */
  readonly comparison: readonly BiasComparison[];
}

export interface BiasComparison {
  readonly samples: number;
  /** Of the random Fourier row. */
  readonly features: number | null;
  readonly nu: number | null;
  readonly randomFourier: number;
  readonly uniform: number;
  readonly quadratic: number;
  /** By more than the standard errors of the two. */
  readonly isBelowUniform: boolean;
  readonly isBelowQuadratic: boolean;
}

export function compareBiases(rows: readonly SamplingBiasRow[]): BiasComparison[] {
  const comparisons: BiasComparison[] = [];
  for (const samples of new Set(rows.map((row) => row.samples))) {
    const find = (proposal: string): SamplingBiasRow | undefined =>
      rows.find((row) => row.proposal === proposal && row.samples === samples);
    const uniform = find('uniform');
    const quadratic = find('quadratic');
    const [best] = rows
      .filter((row) => row.proposal === 'random-fourier' && row.samples === samples)
      .sort((a, b) => highest(a) - highest(b));
    if (uniform === undefined || quadratic === undefined || best === undefined) continue;
    comparisons.push({
      samples,
      features: best.features,
      nu: best.nu,
      randomFourier: best.relativeBias,
      uniform: uniform.relativeBias,
      quadratic: quadratic.relativeBias,
      isBelowUniform: highest(best) < uniform.relativeBias - uniform.standardError,
      isBelowQuadratic: highest(best) < quadratic.relativeBias - quadratic.standardError,
    });
  }
  return comparisons;
}

function highest({ relativeBias, standardError }: SamplingBiasRow): number {
  return relativeBias + standardError;
}

interface NamedProposal {
  readonly name: string;
  readonly features: number | null;
  readonly nu: number | null;
  readonly proposal: SampledProposal;
}

export async function measureSamplingBias(
  backend: Backend,
  options: SamplingBiasOptions,
  show: ShowStage,
): Promise<Omit<SamplingBiasReport, 'backend'>> {
  const { trained, summary } = await trainClasses(backend, options, show);
  const rows: SamplingBiasRow[] = [];
  for await (const named of createProposals(backend, trained, options)) {
    const { name, features, nu, proposal } = named;
    for (const samples of options.samples) {
      show('bias', `${name}${features === null ? '' : `, ${features} features`}, ${samples} samples`);
      // Even, and enough for the two halves to be told apart.
      const repetitions = 2 * Math.max(4, Math.floor(options.draws / samples / 2));
      const estimate = estimateBias(trained, proposal, { samples, repetitions, seed: options.seed });
      rows.push({
        proposal: name,
        samples,
        features,
        nu,
        ...estimate,
        drawMicroseconds: timeDraw(trained, proposal, samples),
      });
    }
  }
  const drawTime = await measureDrawTimes(backend, options.drawTime, show);
  const classCounts = drawTime.map(({ classes }) => classes);
  return {
    bench: 'sampling-bias',
    machine: describeMachine(),
    training: summary,
    temperature: options.temperature,
    queries: trained.queryCount,
    rows,
    drawTime,
    fit: {
      microseconds: fitLogarithm(
        classCounts,
        drawTime.map((row) => row.microsecondsPerDraw),
      ),
      nodes: fitLogarithm(
        classCounts,
        drawTime.map((row) => row.nodesPerDraw),
      ),
    },
    comparison: compareBiases(rows),
  };
}

/** One after the other: a tree can be as large as the memory allows. */
async function* createProposals(
  backend: Backend,
  trained: TrainedClasses,
  { features, nus, seed }: SamplingBiasOptions,
): AsyncGenerator<NamedProposal> {
  const { classes, width, counts, vectors } = trained;
  const plain = { features: null, nu: null };
  yield { name: 'softmax', ...plain, proposal: 'softmax' };
  yield { name: 'uniform', ...plain, proposal: createUniformProposal(classes) };
  yield { name: 'log-uniform', ...plain, proposal: createLogUniformProposal(classes) };
  yield { name: 'unigram', ...plain, proposal: createUnigramProposal(counts) };
  const source: ClassVectorSource = {
    classes,
    width,
    read: (first, count) => Promise.resolve(vectors.subarray(first * width, (first + count) * width)),
  };
  const built = async <Built extends QueryProposal>(proposal: Built): Promise<Built> => {
    await proposal.rebuild(source);
    return proposal;
  };
  yield {
    name: 'quadratic',
    features: (width * (width + 1)) / 2 + 1,
    nu: null,
    proposal: await built(createQuadraticProposal(classes, width, { backend })),
  };
  for (const nu of nus) {
    for (const frequencies of features) {
      const proposal = await built(
        createRandomFourierProposal(classes, width, { frequencies, nu, seed: seed + 2, backend }),
      );
      yield { name: 'random-fourier', features: frequencies, nu, proposal };
    }
  }
}

/** Microseconds of one of n draws for a new query, the fastest of three rounds over the queries. */
function timeDraw({ queryCount, queries }: TrainedClasses, proposal: SampledProposal, samples: number): number | null {
  if (proposal === 'softmax') return null;
  const random = new RandomGenerator(1);
  const classes = new Int32Array(queryCount * samples);
  const logProbabilities = new Float64Array(classes.length);
  let fastest = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    if (proposal.kind === 'query') proposal.draw(queries, queryCount, samples, random, classes, logProbabilities);
    else {
      proposal.draw(classes.length, random, classes, 0);
      for (let i = 0; i < classes.length; i++) logProbabilities[i] = proposal.logProbability(classes[i]!);
    }
    fastest = Math.min(fastest, performance.now() - start);
  }
  return (1000 * fastest) / classes.length;
}
