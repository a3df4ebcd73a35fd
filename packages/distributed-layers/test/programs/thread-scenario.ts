/** One rank of a thread job that plays the scenario it is told. */
import { runAsThreadRank, type Communicator } from '@vastmax/collectives';
import { checkpoints } from './scenarios/checkpoints.ts';
import { creation } from './scenarios/creation.ts';
import { growthRefusals } from './scenarios/growth-refusals.ts';
import { fewClasses, growth, lateReads } from './scenarios/growth.ts';
import { overlaps } from './scenarios/overlaps.ts';
import { rankings } from './scenarios/rankings.ts';
import { refusals } from './scenarios/refusals.ts';
import { replicaDrift, replicaDriftRefused } from './scenarios/replica-drift.ts';
import { sampledRefusals } from './scenarios/sampled-refusals.ts';
import { sampled } from './scenarios/sampled.ts';
import { softmax } from './scenarios/softmax.ts';
import { tables } from './scenarios/tables.ts';
import { traffic } from './scenarios/traffic.ts';
import { trees } from './scenarios/trees.ts';

const scenarios = {
  checkpoints,
  creation,
  fewClasses,
  growth,
  growthRefusals,
  lateReads,
  overlaps,
  rankings,
  refusals,
  replicaDrift,
  replicaDriftRefused,
  sampled,
  sampledRefusals,
  softmax,
  tables,
  traffic,
  trees,
};
export type ScenarioName = keyof typeof scenarios;

await runAsThreadRank((communicator, data) => {
  const { name, request } = data as { name: ScenarioName; request: never };
  const play: (communicator: Communicator, request: never) => unknown = scenarios[name];
  return play(communicator, request);
});
