/**
 * The end of `vastmax train`, the same for all models: what a dry run says, training, the saved model, and how to go on
 * after Ctrl-C.
 */
import type { CostEstimate } from './cost-estimate.ts';
import { bytes, count, shellWord } from './display.ts';
import { describePeakMemory } from './peak-memory.ts';
import { describeOutcome, runTraining, type TrainingRun } from './run-training.ts';
import { TrainingLog } from './training-log.ts';
import type { TrainOptions } from './training-options.ts';

export function describeDryRun({ checkpointBytes }: CostEstimate): string {
  return `checkpoint   ${bytes(checkpointBytes)}; twice that on the disk while one replaces another\ndry run: nothing was trained and nothing written\n`;
}

type RunOfModel = Pick<TrainingRun, 'trainer' | 'extras' | 'communicator' | 'signal'>;

/**
 * Train what is left of the run, and save. @param file the text or the points.
 * @returns whether it came to its end; after an interruption it has said how to go on, and set the exit code.
 */
export async function trainAndSave(file: string, options: TrainOptions, run: RunOfModel): Promise<boolean> {
  const { trainer, communicator } = run;
  if (trainer.examples >= trainer.options.examples) {
    process.stdout.write(
      `trained      all ${count(trainer.options.examples)} examples of the run already; go on with --epochs or --examples\n`,
    );
    return true;
  }
  await using log = await TrainingLog.open(communicator === undefined || communicator.rank === 0 ? options : {});
  const outcome = await runTraining({ ...run, directory: options.out, checkpointEvery: options.checkpointEvery, log });
  process.stdout.write(`${describeOutcome(outcome)}${describePeakMemory()}saved        ${options.out}\n`);
  if (!outcome.interrupted) return true;
  process.stdout.write(`interrupted at step ${trainer.step}; go on with: vastmax ${resumeCommand(file, options)}\n`);
  process.exitCode = 130;
  return false;
}

function resumeCommand(file: string, { out, model, valid, textColumn, distributed }: TrainOptions): string {
  const words = [
    'train',
    file,
    '-o',
    out,
    ...(model === 'classifier' ? ['--model', model] : []),
    ...(valid === undefined ? [] : ['--valid', valid]),
    ...(textColumn === 'text' ? [] : ['--text-column', textColumn]),
    ...(distributed === undefined ? [] : ['--distributed', distributed]),
    '--resume',
  ];
  return words.map(shellWord).join(' ');
}
