/**
 * The report of `bench quality` from its runs: a row for each run, and each layer compared with the full softmax on the
 * same words.
 */
import type { SequenceModelName } from './model.ts';
import type { BackendName } from '../measurement/backend-choice.ts';
import { BenchError } from '../measurement/bench-error.ts';
import type { Machine } from '../reporting/machine.ts';
import { compare, type Comparison, type Metrics, type Outcomes, summarize, type Summary } from './outcomes.ts';
import type { LoggedRun } from './run-log.ts';
import type { QualitySetting, RunSettings } from './run.ts';

interface QualityBand extends Summary {
  readonly firstClass: number;
  /** Null for the last band, which has the rest. */
  readonly lastClass: number | null;
}

export interface QualityRow {
  readonly name: string;
  readonly layer: string;
  readonly loss: string;
  readonly setting: QualitySetting;
  readonly seed: number;
  /** Of training. */
  readonly seconds: number;
  readonly examples: number;
  readonly evaluationSeconds: number;
  /** Whether a run at equal examples ended before them, by --max-seconds-per-run. */
  readonly isCut: boolean;
  readonly diverged: string | null;
  /** Null for a training that diverged, as are the errors; there are then no bands. */
  readonly metrics: Metrics | null;
  readonly standardErrors: Metrics | null;
  readonly bands: readonly QualityBand[];
}

type QualityModelSizes = { readonly embedding: number; readonly hidden: readonly number[]; readonly batch: number } & (
  { readonly order: number } | { readonly cell: SequenceModelName; readonly steps: number }
);

/** A layer less the full softmax in the same setting, over all seeds that both have. */
interface AgainstFull {
  readonly name: string;
  readonly setting: QualitySetting;
  readonly seeds: readonly number[];
  readonly all: Comparison;
  readonly bands: readonly Comparison[];
}

export interface QualityReport {
  readonly bench: 'quality';
  /** Of the first run. */
  readonly machine: Machine;
  readonly backend: { readonly name: BackendName; readonly threads: number };
  readonly corpus: { readonly name: string; readonly heldOutWords: number };
  readonly model: QualityModelSizes;
  readonly budgetSeconds: number | null;
  /** At schedule factor 1, on the mean loss. */
  readonly rates: readonly { readonly name: string; readonly outputRate: number; readonly bodyRate: number }[];
  readonly rows: readonly QualityRow[];
  readonly againstFull: readonly AgainstFull[];
}

const referenceLayer = 'full';

/** @throws BenchError `bad-option` for no run, or runs that cannot stand in one table. */
export function qualityReport(runs: readonly LoggedRun[]): QualityReport {
  const first = runs[0];
  if (first === undefined) throw new BenchError('bad-option', 'there is no finished run of bench quality');
  const { settings, machine } = first;
  // A run that was made again replaces the one before it.
  const latest = new Map(
    runs.map((run) => [JSON.stringify([run.settings.name, run.settings.setting, run.settings.seed]), run]),
  );
  const kept = [...latest.values()];
  checkComparable(kept);
  return {
    bench: 'quality',
    machine,
    backend: { name: settings.backend, threads: settings.threads },
    corpus: {
      name: settings.corpus,
      heldOutWords: Math.max(...kept.map(({ result }) => result.outcomes?.ranks.length ?? 0)),
    },
    model: modelSizes(settings),
    budgetSeconds: kept.find((run) => run.settings.setting === 'equal-time')?.settings.maximumSeconds ?? null,
    rates: ratesOf(kept),
    rows: kept.map(rowOf),
    againstFull: comparisons(kept),
  };
}

/** A budget, a text or a model that changed between two runs would be read as a difference between layers. */
function checkComparable(runs: readonly LoggedRun[]): void {
  const found = new Map<string, string>();
  for (const { settings } of runs) {
    const { name, setting, examples, maximumSeconds, outputRate, bodyRate } = settings;
    const parts: readonly (readonly [what: string, value: unknown])[] = [
      ['texts', settings.fingerprint],
      ['held-out words', settings.evaluate],
      ['models', modelSizes(settings)],
      ['backends', [settings.backend, settings.threads]],
      [`rates of ${name}`, [outputRate, bodyRate]],
      setting === 'equal-time' ? ['seconds at equal time', maximumSeconds] : ['examples at equal examples', examples],
    ];
    for (const [what, value] of parts) {
      const text = JSON.stringify(value);
      const before = found.get(what) ?? text;
      found.set(what, text);
      if (before === text) continue;
      throw new BenchError(
        'bad-option',
        `the runs do not belong in one table: the ${what} are ${before} and ${text}; keep a log for each`,
      );
    }
  }
}

function modelSizes({ model, batch }: RunSettings): QualityModelSizes {
  if ('steps' in model) {
    const { body, steps } = model;
    const { embedding } = body;
    return body.kind === 'transformer'
      ? { cell: body.kind, steps, embedding, hidden: Array.from({ length: body.layers }, () => embedding), batch }
      : { cell: body.cell, steps, embedding, hidden: body.hidden, batch };
  }
  const { order, embedding, hidden } = model.body;
  return { order, embedding, hidden, batch };
}

function ratesOf(runs: readonly LoggedRun[]): QualityReport['rates'] {
  const byName = new Map(
    runs.map(({ settings: { name, outputRate, bodyRate } }) => [name, { name, outputRate, bodyRate }]),
  );
  return [...byName.values()];
}

function rowOf({ settings, result }: LoggedRun): QualityRow {
  const { name, layer, loss, setting, seed, bandStarts } = settings;
  const { outcomes, seconds, examples, evaluationSeconds, diverged } = result;
  const summary = outcomes === null ? null : summarize(outcomes);
  return {
    name,
    layer,
    loss,
    setting,
    seed,
    seconds,
    examples,
    evaluationSeconds,
    isCut: diverged === null && settings.examples !== null && examples < settings.examples,
    diverged,
    metrics: summary?.metrics ?? null,
    standardErrors: summary?.standardErrors ?? null,
    bands:
      outcomes === null
        ? []
        : bandStarts.map((firstClass, band) => {
            const next = bandStarts[band + 1];
            return { firstClass, lastClass: next === undefined ? null : next - 1, ...summarize(outcomes, band) };
          }),
  };
}

function comparisons(runs: readonly LoggedRun[]): AgainstFull[] {
  const found: AgainstFull[] = [];
  const keys = new Map(runs.map(({ settings: { name, setting } }) => [`${name} ${setting}`, { name, setting }]));
  for (const { name, setting } of keys.values()) {
    if (name === referenceLayer) continue;
    const seeds: number[] = [];
    const pairs: { ours: Outcomes; theirs: Outcomes }[] = [];
    for (const { settings, result } of runs) {
      if (settings.name !== name || settings.setting !== setting) continue;
      const reference = runs.find(
        (run) =>
          run.settings.name === referenceLayer &&
          run.settings.setting === setting &&
          run.settings.seed === settings.seed,
      );
      const theirs = reference?.result.outcomes ?? null;
      if (result.outcomes === null || theirs === null) continue;
      seeds.push(settings.seed);
      pairs.push({ ours: result.outcomes, theirs });
    }
    if (pairs.length === 0) continue;
    const bandCount = 1 + Math.max(...runs.map(({ settings }) => settings.bandStarts.length - 1));
    const bands = Array.from({ length: bandCount }, (_, band) => compare(pairs, band));
    found.push({ name, setting, seeds, all: compare(pairs), bands });
  }
  return found;
}
