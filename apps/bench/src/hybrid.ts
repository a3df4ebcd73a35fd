/**
 * `bench hybrid`: the step of the hybrid layer against the number of classes, beside other layers. Tables of ten
 * million classes take 12 GB each, so that few are alive at once; the hybrid layer of the fewest classes takes part in
 * every group of them.
 */
import type { Backend } from '@vastmax/linalg-core';
import { Option, type Command } from 'commander';
import {
  backendChoices,
  createBackend,
  resolveBackend,
  type BackendChoice,
  type BackendInUse,
} from './measurement/backend-choice.ts';
import { BenchError } from './measurement/bench-error.ts';
import { restFor } from './measurement/ceilings.ts';
import { scaleSpread } from './measurement/statistics.ts';
import { flatnessOf, hybridTables, type HybridReport, type HybridRow } from './hybrid-report.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine } from './report/machine.ts';
import { positive, threadCount, wholeNumber, wholeNumbers } from './report/option-values.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';
import { entrantNames, timedClasses, type Entrant } from './rivals-layers.ts';
import { timeBeside, type TimedEntrant, type UnavailableEntrant } from './rivals-rounds.ts';

export interface HybridOptions {
  readonly backend: BackendChoice;
  readonly threads: number;
  readonly classes: readonly number[];
  readonly features: number;
  readonly batch: number;
  /** F, classes of the head. */
  readonly head: number;
  readonly layers: readonly string[];
  /** Most classes that the full softmax is timed on. */
  readonly denseRows: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Options extends HybridOptions {
  readonly json: boolean;
}

const hybridName = 'hybrid';

export function addHybridCommand(program: Command): void {
  program
    .command('hybrid')
    .description('measure the time of a step of the hybrid layer by the number of classes, beside other layers')
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .option(
      '--classes <list>',
      'numbers of classes, with commas between',
      wholeNumbers(2, 2 ** 31 - 1),
      [100_000, 1_000_000, 10_000_000],
    )
    .option('--features <d>', 'width of the hidden activations', wholeNumber(1, 8192), 300)
    .option('--batch <m>', 'examples of a minibatch', wholeNumber(1, 65_536), 128)
    .option('--head <F>', 'classes of the dense head', wholeNumber(1), 2000)
    .option('--layers <list>', 'layers beside it, with commas between; or none', otherNames, [
      'factored',
      'sampled',
      'adaptive',
      'full',
    ])
    .option(
      '--dense-rows <count>',
      'time the full softmax on at most so many classes and scale',
      wholeNumber(1024),
      50_000,
    )
    .option('--rounds <count>', 'samples of each layer', wholeNumber(3), 40)
    .option('--seconds <n>', 'begin no further round of a group after so many seconds', positive, 60)
    .addHelpText(
      'after',
      `
The hybrid layers come first, then as many others at a time as fit in memory,
always with the hybrid layer of the fewest classes among them; 4·D·(d + 1) bytes
each, 12 GB at ten million classes. What does not fit is listed with the
reason. Creating a layer costs O(D·d^2) at most, up to four minutes for ten
million classes.

flatness is the slowest hybrid layer over the fastest.

Examples:
  $ pnpm --silent bench hybrid --json
  $ pnpm --silent bench hybrid --classes 100000,1000000 --layers none`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { show, end } = stageProgress('hybrid');
      const report = await measureHybrid(options, show);
      end();
      printReport(report, json, hybridTables);
    });
}

/**
 * @throws BenchError `bad-option` for a head that is too large, `memory` when not even the smallest hybrid layer fits.
 */
export async function measureHybrid(options: HybridOptions, show: ShowStage): Promise<HybridReport> {
  const fewest = Math.min(...options.classes);
  if (options.head >= fewest) {
    throw new BenchError(
      'bad-option',
      `--head ${options.head} leaves no tail of the ${fewest} classes of --classes; it must be at most ${fewest - 1}`,
    );
  }
  const { backend, inUse } = await createBackend(await resolveBackend(options.backend), options.threads);
  try {
    return await measureOn(backend, inUse, options, show);
  } finally {
    await backend.dispose();
  }
}

async function measureOn(
  backend: Backend,
  inUse: BackendInUse,
  options: HybridOptions,
  show: ShowStage,
): Promise<HybridReport> {
  const { features, batch, head, denseRows, rounds, seconds } = options;
  const sizes = [...options.classes].sort((a, b) => a - b);
  const hybrid = `${hybridName}:headSize=${head}`;
  const [reference, ...hybrids] = sizes.map((classes): Entrant => ({ layer: hybrid, classes }));
  if (reference === undefined) throw new BenchError('bad-option', '--classes is empty');
  const others = options.layers.filter((layer) => layer !== hybridName && layer !== hybrid);
  const wanted = others.flatMap((layer) =>
    sizes.map((classes) => ({ layer, classes, timed: timedClasses(layer, classes, denseRows) })),
  );
  // The full softmax of all sizes is timed once, on one slice.
  const distinct = wanted.filter(
    ({ layer, timed }, place) => place === wanted.findIndex((other) => other.layer === layer && other.timed === timed),
  );
  const results = await timeBeside(
    backend,
    reference,
    [...hybrids, ...distinct.map(({ layer, timed }) => ({ layer, classes: timed }))],
    { features, batch, restMs: restFor(inUse), rounds, seconds },
    show,
  );
  const rows: HybridRow[] = [];
  const unavailable: UnavailableEntrant[] = [];
  for (const { layer, classes, timed } of [
    ...sizes.map((size) => ({ layer: hybrid, classes: size, timed: size })),
    ...wanted,
  ]) {
    const isIt = (entrant: Entrant): boolean => entrant.layer === layer && entrant.classes === timed;
    const name = layer === hybrid ? hybridName : layer;
    const result = results.timed.find(isIt);
    if (result !== undefined) rows.push(rowOf(name, classes, result));
    unavailable.push(...results.unavailable.filter(isIt).map(({ reason }) => ({ layer: name, classes, reason })));
  }
  return {
    bench: 'hybrid',
    machine: describeMachine(),
    backend: inUse,
    options: { features, batch, head },
    targets: "Zipf's law, drawn anew for each step",
    reference: { layer: hybridName, classes: reference.classes },
    rows,
    flatness: flatnessOf(rows),
    unavailable,
  };
}

function rowOf(
  layer: string,
  classes: number,
  { classes: timed, milliseconds: slice, referenceMs, group, initializationSeconds }: TimedEntrant,
): HybridRow {
  const milliseconds = scaleSpread(slice, classes / timed);
  return {
    layer,
    classes,
    medianMs: milliseconds.median,
    milliseconds,
    scaledFrom: timed === classes ? null : timed,
    referenceMs,
    group,
    initializationSeconds,
  };
}

function otherNames(text: string): readonly string[] {
  return text.trim() === 'none' ? [] : entrantNames(text);
}
