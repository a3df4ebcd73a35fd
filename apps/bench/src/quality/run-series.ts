/**
 * Runs one after the other on one backend, each written to the log when it is done and taken from there when it has
 * been.
 */
import type { Backend } from '@vastmax/linalg-core';
import type { BackendInUse } from '../measurement/backend-choice.ts';
import { describeMachine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import type { LayerSettings } from '../workload/layer-settings.ts';
import type { QualityCorpus } from './corpus.ts';
import { appendToLog, hasEqualSettings, type LoggedRun, readLog, repairLog } from './run-log.ts';
import { type RunPlan, runQuality, settingsOf } from './run.ts';

export interface SeriesOptions {
  readonly backend: Backend;
  readonly inUse: BackendInUse;
  readonly corpus: QualityCorpus;
  /** The file; without it nothing is kept. */
  readonly log: string | undefined;
  readonly show: ShowStage;
}

export class RunSeries {
  readonly #options: SeriesOptions;
  readonly #logged: readonly LoggedRun[];

  private constructor(options: SeriesOptions, logged: readonly LoggedRun[]) {
    this.#options = options;
    this.#logged = logged;
  }

  /** @throws BenchError `failed` for a log that is none. */
  static async open(options: SeriesOptions): Promise<RunSeries> {
    const { log } = options;
    if (log === undefined) return new RunSeries(options, []);
    const logged = await readLog(log);
    await repairLog(log);
    return new RunSeries(options, logged);
  }

  async run(layer: LayerSettings, plan: Omit<RunPlan, 'backend' | 'threads'>): Promise<LoggedRun> {
    const { backend, inUse, corpus, log, show } = this.#options;
    const settings = settingsOf(layer, corpus, { ...plan, backend: inUse.name, threads: inUse.threads });
    const done = this.#logged.findLast((run) => hasEqualSettings(run.settings, settings));
    if (done !== undefined) {
      show(`${settings.name}, ${settings.setting}, seed ${settings.seed}`, `in ${log ?? 'the log'} already`);
      return done;
    }
    const run = { settings, machine: describeMachine(), result: await runQuality(backend, corpus, settings, show) };
    if (log !== undefined) await appendToLog(log, run);
    return run;
  }
}
