import { type Command, Option } from 'commander';
import { type BackendChoice, backendChoices, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { positive, wholeNumber, wholeNumbers } from '../reporting/option-values.ts';
import { printReport } from '../reporting/print-report.ts';
import { stageProgress } from '../reporting/stage-progress.ts';
import { measureSamplingBias } from './measure.ts';
import { samplingBiasTables } from './report.ts';

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
