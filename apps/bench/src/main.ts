/** `pnpm bench <name>`: a folder here for each bench. A result goes to stdout, progress to stderr. */
import { isLinalgError } from '@vastmax/linalg-core';
import { Command } from 'commander';
import { addAlsCommand } from './als/command.ts';
import { addAttentionCommand } from './attention/command.ts';
import { addConformanceCommand } from './conformance/command.ts';
import { addDataCommand } from './data/command.ts';
import { addDistributedCommand } from './distributed/command.ts';
import { addExactnessCommand } from './exactness/command.ts';
import { addHostileCommand } from './hostile/command.ts';
import { addHybridCommand } from './hybrid/command.ts';
import { addJobsCommand } from './jobs/command.ts';
import { addKernelsCommand } from './kernels/command.ts';
import { addLayersCommand } from './layers/command.ts';
import { BenchError } from './measurement/bench-error.ts';
import { addOutputLayerCommand } from './output-layer/command.ts';
import { addPlaygroundCommand } from './playground/command.ts';
import { addPlotsCommand } from './plots/command.ts';
import { addQualityRatesCommand } from './quality-rates/command.ts';
import { addQualityCommand } from './quality/command.ts';
import { addReadingCommand } from './reading/command.ts';
import { addRatesCommand } from './rates/command.ts';
import { addReportCommand } from './report/command.ts';
import { addRidgeCommand } from './ridge/command.ts';
import { addRivalsCommand } from './rivals/command.ts';
import { addRoomsCommand } from './rooms/command.ts';
import { addRowsCommand } from './rows/command.ts';
import { addSamplingBiasCommand } from './sampling-bias/command.ts';
import { addScalingCommand } from './scaling/command.ts';
import { addSoakCommand } from './soak/command.ts';
import { addSoftmaxCommand } from './softmax/command.ts';
import { addSteadyStateCommand } from './steady-state/command.ts';
import { addTopKCommand } from './top-k/command.ts';
import { addTrainingCommand } from './training/command.ts';
import { addWebGpuCommand } from './webgpu/command.ts';

const program = new Command('bench').description(
  'measurements of vastmax; each prints a table, or one JSON object with --json',
);
addAlsCommand(program);
addAttentionCommand(program);
addConformanceCommand(program);
addDataCommand(program);
addDistributedCommand(program);
addExactnessCommand(program);
addHostileCommand(program);
addHybridCommand(program);
addJobsCommand(program);
addKernelsCommand(program);
addLayersCommand(program);
addOutputLayerCommand(program);
addReadingCommand(program);
addRidgeCommand(program);
addRivalsCommand(program);
addRowsCommand(program);
addSamplingBiasCommand(program);
addRoomsCommand(program);
addScalingCommand(program);
addSoakCommand(program);
addSoftmaxCommand(program);
addSteadyStateCommand(program);
addTopKCommand(program);
addTrainingCommand(program);
addWebGpuCommand(program);
addQualityCommand(program);
addQualityRatesCommand(program);
addRatesCommand(program);
addPlaygroundCommand(program);
addPlotsCommand(program);
addReportCommand(program);
try {
  await program.parseAsync();
} catch (error) {
  // A machine that cannot do what was asked is no bug of the bench: no stack.
  if (!(error instanceof BenchError) && !isLinalgError(error)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}
