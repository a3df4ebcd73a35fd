/**
 * `bench quality-rates`: tries a few pairs of rates for each output layer on a fraction of the training text and ranks
 * words of that text's own end, never those that `bench quality` reports on. Every layer gets the same tries, as
 * factors on its defaults. The winners are written by hand into the defaults of lm-models, as
 * packages/lm-models/src/output-layers/training-defaults.ts has them.
 */
import type { Backend } from '@vastmax/linalg-core';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  backendChoices,
  createBackend,
  resolveBackend,
  type BackendChoice,
  type BackendInUse,
} from './measurement/backend-choice.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { positive, threadCount, wholeNumber } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';
import { contestantsOf, type Contestant } from './quality-contestants.ts';
import { readTuningCorpus, type QualityCorpus } from './quality-corpus.ts';
import type { LoggedRun } from './quality-log.ts';
import { compare, summarize, type Metrics } from './quality-outcomes.ts';
import { ratesTables } from './quality-rates-tables.ts';
import type { BodySizes } from './quality-model.ts';
import { defaultThreads, RunSeries } from './quality-series.ts';

/** Factors on a layer's defaults. */
export interface RateTry {
  readonly output: number;
  readonly body: number;
}

export interface RatesOptions extends BodySizes {
  readonly layers: readonly Contestant[];
  readonly tries: readonly RateTry[];
  readonly examples: number;
  readonly batch: number;
  readonly seed: number;
  readonly maxSecondsPerRun: number | undefined;
  readonly log: string | undefined;
}

interface RatesRow {
  readonly name: string;
  readonly layer: string;
  readonly loss: string;
  readonly outputRate: number;
  readonly bodyRate: number;
  readonly seconds: number;
  readonly examples: number;
  /** Null when the training diverged. */
  readonly metrics: Metrics | null;
  /** Of its layer's tries, as {@link bestOf} chooses. */
  readonly isBest: boolean;
}

export interface RatesReport {
  readonly bench: 'quality-rates';
  readonly machine: Machine;
  readonly backend: BackendInUse;
  readonly corpus: string;
  readonly heldOutWords: number;
  readonly examples: number;
  readonly rows: readonly RatesRow[];
}

interface Options extends Omit<RatesOptions, 'layers'> {
  readonly json: boolean;
  readonly data?: string;
  readonly train?: string;
  readonly layers: readonly Contestant[];
  readonly heldOut: number;
  readonly backend: BackendChoice;
  readonly threads: number;
}

/** The default and its neighbours: a cross about it. */
const cross: readonly RateTry[] = [
  { output: 1, body: 1 },
  { output: 0.5, body: 1 },
  { output: 2, body: 1 },
  { output: 1, body: 0.5 },
  { output: 1, body: 2 },
];

export function addQualityRatesCommand(program: Command): void {
  program
    .command('quality-rates')
    .description('try a few learning rates for each output layer on a fraction of the training text')
    .option('--json', 'print one JSON object instead of a table', false)
    .option('--data <folder>', 'with wiki.train.tokens or train.txt, plain, .gz or .br')
    .option('--train <file>', 'a training text instead')
    .addOption(
      new Option('--layers <list>', 'as in bench quality')
        .argParser(contestantsOf)
        .default(contestantsOf('sampled,adaptive,hybrid'), 'sampled,adaptive,hybrid'),
    )
    .addOption(
      new Option('--tries <list>', 'factors on the default rates, output x body')
        .argParser(triesOf)
        .default(cross, '1x1,0.5x1,2x1,1x0.5,1x2'),
    )
    .option('--examples <count>', 'train on so many', wholeNumber(1), 200_000)
    .option('--held-out <count>', 'words at the end of the training text that are ranked', wholeNumber(1), 10_000)
    .option('--order <n>', 'previous words that the model sees', wholeNumber(1), 5)
    .option('--embedding <n>', 'width of a word embedding', wholeNumber(1), 100)
    .option(
      '--hidden <list>',
      'widths of the hidden layers',
      (text: string) => text.split(',').map(wholeNumber(1)),
      [128],
    )
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 256)
    .option('--seed <n>', 'of the start and of the order of examples', wholeNumber(0), 1)
    .option('--max-seconds-per-run <n>', 'cut a training that takes longer; its schedule then ends there', positive)
    .option('--log <file>', 'append each finished run, and skip those that it has')
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, defaultThreads())
    .addHelpText(
      'after',
      `
The best of a layer's tries has the highest mean reciprocal rank, or the lowest
perplexity of those that are not a standard error below it.

Example:
  $ pnpm --silent bench quality-rates --data wikitext-2 --layers sampled,nce \\
      --tries 1x1,2x1,4x1 --examples 400000`,
    )
    .action(async ({ json, heldOut, backend: choice, threads, data, train, ...options }: Options) => {
      const { show, end } = stageProgress('quality-rates');
      show('reading the text');
      const corpus = await readTuningCorpus(
        { ...(data === undefined ? {} : { data }), ...(train === undefined ? {} : { train }) },
        heldOut,
      );
      const { backend, inUse } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureRates(backend, inUse, corpus, options, show);
      await backend.dispose();
      end();
      printReport(report, json, ratesTables);
    });
}

export async function measureRates(
  backend: Backend,
  inUse: BackendInUse,
  corpus: QualityCorpus,
  options: Omit<RatesOptions, 'json'>,
  show: ShowStage,
): Promise<RatesReport> {
  const { layers, tries, examples, batch, seed, maxSecondsPerRun = null, log, order, embedding, hidden } = options;
  const series = await RunSeries.open({ backend, inUse, corpus, log, show });
  const rows: RatesRow[] = [];
  for (const contestant of layers) {
    const runs: LoggedRun[] = [];
    for (const { output, body } of tries) {
      const tried = { ...contestant, outputRate: output * contestant.outputRate, bodyRate: body * contestant.bodyRate };
      const plan = {
        setting: 'tuning',
        seed,
        examples,
        maximumSeconds: maxSecondsPerRun,
        batch,
        evaluate: 0,
        order,
        embedding,
        hidden,
      } as const;
      runs.push(await series.run(tried, plan));
    }
    rows.push(...rowsOf(runs));
  }
  return {
    bench: 'quality-rates',
    machine: describeMachine(),
    backend: inUse,
    corpus: corpus.name,
    heldOutWords: corpus.heldOut.last - corpus.heldOut.first,
    examples,
    rows,
  };
}

function rowsOf(runs: readonly LoggedRun[]): RatesRow[] {
  const best = bestOf(runs);
  return runs.map((run) => {
    const { name, layer, loss, outputRate, bodyRate } = run.settings;
    const { seconds, examples, outcomes } = run.result;
    const metrics = outcomes === null ? null : summarize(outcomes).metrics;
    return { name, layer, loss, outputRate, bodyRate, seconds, examples, metrics, isBest: run === best };
  });
}

/**
 * The highest mean reciprocal rank; of those that are not a standard error of the paired difference below it, the
 * lowest perplexity, where there is one. Ranks alone would choose by chance: trained again with other rounding, a
 * model's changes by as much.
 */
export function bestOf(runs: readonly LoggedRun[]): LoggedRun | undefined {
  const candidates = runs.flatMap((run) =>
    run.result.outcomes === null
      ? []
      : [{ run, outcomes: run.result.outcomes, metrics: summarize(run.result.outcomes).metrics }],
  );
  const first = candidates.toSorted((a, b) => b.metrics.mrr - a.metrics.mrr)[0];
  if (first === undefined) return undefined;
  const equals = candidates.filter(({ outcomes }) => {
    const { differences, standardErrors } = compare([{ ours: first.outcomes, theirs: outcomes }]);
    return differences.mrr <= standardErrors.mrr;
  });
  const perplexityOf = ({ metrics }: (typeof candidates)[number]): number => metrics.perplexity ?? Infinity;
  return equals.reduce((best, each) => (perplexityOf(each) < perplexityOf(best) ? each : best), first).run;
}

/** `1x1,2x0.5`: with commas between, an output and a body factor each. */
export function triesOf(text: string): readonly RateTry[] {
  return text.split(',').map((part) => {
    const factors = part.split('x').map((factor) => (factor.trim() === '' ? Number.NaN : Number(factor)));
    const [output = Number.NaN, body = Number.NaN] = factors;
    if (factors.length === 2 && factors.every((factor) => Number.isFinite(factor) && factor > 0))
      return { output, body };
    throw new InvalidArgumentError(`expected pairs of factors above 0 such as 1x1,2x0.5, got '${part}'.`);
  });
}
