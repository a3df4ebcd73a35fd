import { type Command, InvalidArgumentError, Option } from 'commander';
import { outputLayerNames } from '@vastmax/lm-models';
import { builtInLossNames } from '@vastmax/spherical-losses';
import { labelledLinesDefaults } from '../jobs/labels/labelled-lines.ts';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import { triesOf } from '../quality-rates/command.ts';
import type { RateTry } from '../quality-rates/measure.ts';
import { halfOrOne, positive, threadCount, wholeNumber } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { generateLabelsJob, labelJobNames, readXmcJob, type LabelJobName } from './label-jobs.ts';
import { measureLabelRates } from './measure.ts';
import { labelRatesTables } from './report.ts';

interface Options {
  readonly job: LabelJobName;
  readonly data?: string;
  readonly layers: readonly string[];
  readonly tries: readonly RateTry[];
  readonly evaluate: number;
  readonly seconds?: number;
  readonly precondition?: 0.5 | 1;
  readonly seed: number;
  readonly json: boolean;
  readonly backend: BackendChoice;
  readonly threads: number;
}

const cross = '1x1,0.25x1,4x1,1x0.5,1x2';

export function addRatesCommand(program: Command): void {
  program
    .command('rates')
    .description('what the default rates of a classifier reach beside the best of a grid about them')
    .addOption(new Option('--job <name>', 'labels is generated').choices(labelJobNames).default('labels'))
    .option('--data <folder>', 'for bibtex and delicious: with the folder xmc')
    .addOption(
      new Option('--layers <list>', 'output layers, and losses of the factored one')
        .argParser(layersOf)
        .default(['z-loss', 'sampled', 'huffman'], 'z-loss,sampled,huffman'),
    )
    .addOption(
      new Option('--tries <list>', 'factors on the default rates, output x body')
        .argParser(triesOf)
        .default(triesOf(cross), cross),
    )
    .option('--evaluate <n>', 'test points ranked at most', wholeNumber(1), 2500)
    .option('--seconds <n>', 'of each training at most', positive)
    .option('--precondition <power>', 'preconditioned steps of the factored layer: 0.5 or 1', halfOrOne)
    .option('--seed <n>', 'of splits, starts and orders', wholeNumber(0), 1)
    .option('--json', 'print one JSON object instead of a table', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendChoices).default('auto'))
    .option('--threads <count>', 'threads of the backend', threadCount, 1)
    .action(async ({ job: name, data, seed, seconds, json, backend: choice, threads, ...options }: Options) => {
      const { show, end } = stageProgress('rates');
      show('reading the points');
      if (name !== 'labels' && data === undefined)
        throw new BenchError('bad-option', `--job ${name} needs --data with the folder xmc`);
      const job =
        name === 'labels'
          ? await generateLabelsJob(labelledLinesDefaults, seed)
          : await readXmcJob(data ?? '', name, seed);
      const { backend } = await createBackend(await resolveBackend(choice), threads);
      const report = await measureLabelRates({ backend, seed, seconds, show }, [job], options);
      await backend.dispose();
      end();
      printReport(report, json, labelRatesTables);
    });
}

function layersOf(text: string): readonly string[] {
  const known: readonly string[] = [...builtInLossNames, ...outputLayerNames];
  const layers = text.split(',');
  const unknown = layers.find((layer) => !known.includes(layer) || layer === 'factored');
  if (unknown === undefined) return layers;
  throw new InvalidArgumentError(`expected losses and output layers such as z-loss,sampled, got '${unknown}'.`);
}
