/** `pnpm bench <name>`: one file here for each bench. A result goes to stdout, progress to stderr. */
import { isLinalgError } from '@vastmax/linalg-core';
import { Command } from 'commander';
import { addConformanceCommand } from './conformance.ts';
import { addDataCommand } from './data.ts';
import { addDistributedCommand } from './distributed.ts';
import { addExactnessCommand } from './exactness.ts';
import { addHybridCommand } from './hybrid.ts';
import { addJobsCommand } from './jobs.ts';
import { addKernelsCommand } from './kernels.ts';
import { addOutputLayerCommand } from './output-layer.ts';
import { addPlotsCommand } from './plots.ts';
import { addQualityCommand } from './quality.ts';
import { addQualityRatesCommand } from './quality-rates.ts';
import { addReportCommand } from './report.ts';
import { addRivalsCommand } from './rivals.ts';
import { addSamplingBiasCommand } from './sampling-bias.ts';
import { addRoomsCommand } from './rooms/command.ts';
import { addScalingCommand } from './scaling.ts';
import { addSteadyStateCommand } from './steady-state.ts';
import { addTrainingCommand } from './training.ts';
import { addWebGpuCommand } from './webgpu.ts';
import { BenchError } from './measurement/bench-error.ts';

const program = new Command('bench').description(
  'measurements of vastmax; each prints a table, or one JSON object with --json',
);
addConformanceCommand(program);
addDataCommand(program);
addDistributedCommand(program);
addExactnessCommand(program);
addHybridCommand(program);
addJobsCommand(program);
addKernelsCommand(program);
addOutputLayerCommand(program);
addRivalsCommand(program);
addSamplingBiasCommand(program);
addRoomsCommand(program);
addScalingCommand(program);
addSteadyStateCommand(program);
addTrainingCommand(program);
addWebGpuCommand(program);
addQualityCommand(program);
addQualityRatesCommand(program);
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
