/**
 * `bench sampling-bias`: how far the expected gradient of a sampled softmax is from the exact one, for each proposal,
 * on class vectors trained here; and what a draw from a random Fourier tree costs as the classes grow (A. S. Rawat et
 * al., arXiv:1907.10747, whose claims these are).
 */
import type { Backend } from '@vastmax/linalg-core';
import {
  createLogUniformProposal,
  createQuadraticProposal,
  createRandomFourierProposal,
  createUniformProposal,
  createUnigramProposal,
  type ClassVectorSource,
  type QueryProposal,
} from '@vastmax/softmax-losses';
import { RandomGenerator } from '@vastmax/sparse-data';
import { Option, type Command } from 'commander';
import { backendChoices, createBackend, resolveBackend, type BackendChoice } from './measurement/backend-choice.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine } from './report/machine.ts';
import { positive, wholeNumber, wholeNumbers } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';
import { fitLogarithm, measureDrawTimes, type DrawTimeOptions } from './sampling-bias-draw-time.ts';
import { estimateBias, type SampledProposal, type TrainedClasses } from './sampling-bias-estimate.ts';
import { trainClasses, type ModelOptions } from './sampling-bias-model.ts';
import {
  compareBiases,
  samplingBiasTables,
  type SamplingBiasReport,
  type SamplingBiasRow,
} from './sampling-bias-report.ts';

export interface SamplingBiasOptions extends ModelOptions {
  readonly samples: readonly number[];
  /** R of the random Fourier features. */
  readonly features: readonly number[];
  readonly nus: readonly number[];
  /** For each query, proposal and n: how many estimates they make follows. */
  readonly draws: number;
  readonly drawTime: DrawTimeOptions;
}

interface Contestant {
  readonly name: string;
  readonly features: number | null;
  readonly nu: number | null;
  readonly proposal: SampledProposal;
}

interface Options {
  readonly json: boolean;
  readonly data?: string;
  readonly classes: number;
  readonly width: number;
  readonly temperature: number;
  readonly trainSeconds: number;
  readonly queries: number;
  readonly samples: readonly number[];
  readonly features: readonly number[];
  readonly nu: readonly number[];
  readonly draws: number;
  readonly drawClasses: readonly number[];
  readonly seed: number;
  readonly backend: BackendChoice;
}

export function addSamplingBiasCommand(program: Command): void {
  program
    .command('sampling-bias')
    .description(
      "measure the bias of sampled softmax's gradient by proposal, and the time of a draw by the number of classes",
    )
    .option('--json', 'print one JSON object instead of tables', false)
    .option(
      '--data <file>',
      'text to train on, words between white space (default: WikiText-2 beside the checkout, else the text of vastmax start)',
    )
    .option('--classes <count>', 'the most frequent words, the others becoming one', wholeNumber(20), 10_000)
    .option('--width <d>', 'width of the class vectors', wholeNumber(2), 128)
    .option('--temperature <tau>', 'logits are tau times the cosine', positive, 11.1)
    .option('--train-seconds <n>', 'train the class vectors for so long', positive, 40)
    .option('--queries <count>', 'held-out examples', wholeNumber(2), 32)
    .option('--samples <list>', 'draws for an example, with commas between', wholeNumbers(1), [10, 100, 1000])
    .option(
      '--features <list>',
      'frequencies R of the random Fourier features',
      wholeNumbers(1),
      [128, 256, 512, 1024, 2048, 4096],
    )
    .option('--nu <list>', 'inverse temperatures of the random Fourier kernel', wholeNumbers(1), [4, 8])
    .option('--draws <count>', 'draws for each query, proposal and sample count', wholeNumber(100), 40_000)
    .option(
      '--draw-classes <list>',
      'class counts at which a draw is timed',
      wholeNumbers(2),
      [1000, 10_000, 100_000, 1_000_000],
    )
    .option('--seed <n>', 'seed of everything', wholeNumber(0), 1)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .addHelpText(
      'after',
      `
The gradient is that of the loss with respect to the hidden vector; features
count the frequencies R of random Fourier features, and a proposal 'softmax'
draws from the softmax itself, to show what the method cannot tell from 0.

Example:
  $ pnpm --silent bench sampling-bias --train-seconds 10 --draws 4000 --json`,
    )
    .action(async ({ json, trainSeconds, nu, drawClasses, backend: choice, ...options }: Options) => {
      const { show, end } = stageProgress('sampling-bias');
      const { backend, inUse } = await createBackend(await resolveBackend(choice), 1);
      const report = await measureSamplingBias(
        backend,
        {
          ...options,
          data: options.data,
          seconds: trainSeconds,
          examples: Infinity,
          nus: nu,
          drawTime: { classCounts: drawClasses, width: 64, frequencies: 256, queries: 200, rounds: 7 },
        },
        show,
      );
      await backend.dispose();
      end();
      printReport({ ...report, backend: inUse }, json, samplingBiasTables);
    });
}

export async function measureSamplingBias(
  backend: Backend,
  options: SamplingBiasOptions,
  show: ShowStage,
): Promise<Omit<SamplingBiasReport, 'backend'>> {
  const { trained, summary } = await trainClasses(backend, options, show);
  const rows: SamplingBiasRow[] = [];
  for await (const contestant of contestants(backend, trained, options)) {
    const { name, features, nu, proposal } = contestant;
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
async function* contestants(
  backend: Backend,
  trained: TrainedClasses,
  { features, nus, seed }: SamplingBiasOptions,
): AsyncGenerator<Contestant> {
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
