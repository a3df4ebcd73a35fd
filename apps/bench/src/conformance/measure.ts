/**
 * `bench conformance`: every backend against the whole suite of @vastmax/backend-conformance, as the table of
 * docs/backends.md.
 */
import { type CaseOutcome, type CheckReport, conformanceCases, type SupportTable } from '@vastmax/backend-conformance';
import { BenchError } from '../measurement/bench-error.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';
import { checkNamed } from './backends-under-test.ts';
import { type Exception, exceptionsOf, type SubjectRow, summariseSupport } from './support-summary.ts';

export interface ConformanceOptions {
  readonly backends: readonly string[];
  /** Only cases with this text in their id. */
  readonly cases?: string;
}

export interface ConformanceReport {
  readonly bench: 'conformance';
  readonly machine: Machine;
  /** How many. */
  readonly cases: number;
  readonly backends: readonly {
    readonly name: string;
    readonly status: CheckReport['status'];
    /** Threads, library, adapter; null where it is unavailable. */
    readonly detail: string | null;
    readonly passed: number;
  }[];
  readonly subjects: readonly SubjectRow[];
  /** All that is not simply passed. */
  readonly exceptions: readonly Exception[];
  /** Every case of every backend. */
  readonly tables: readonly SupportTable[];
}

export async function checkBackends(
  { backends: names, cases: text = '' }: ConformanceOptions,
  show: ShowStage,
): Promise<ConformanceReport> {
  const cases = conformanceCases.filter(({ id }) => id.includes(text));
  if (cases.length === 0)
    throw new BenchError(
      'bad-option',
      `--cases '${text}' is in no case's id; ids look like ${conformanceCases[0]?.id ?? ''}`,
    );
  const backends: ConformanceReport['backends'][number][] = [];
  const reports: CheckReport[] = [];
  for (const [index, name] of names.entries()) {
    show(name, `${index + 1} of ${names.length}`);
    const { detail, report } = await checkNamed(name, cases);
    reports.push(report);
    backends.push({
      name,
      status: report.status,
      detail: detail ?? null,
      passed: report.outcomes.filter(({ status }) => status === 'pass').length,
    });
  }
  return {
    bench: 'conformance',
    machine: describeMachine(),
    cases: cases.length,
    backends,
    subjects: summariseSupport(cases, reports),
    exceptions: exceptionsOf(reports),
    tables: reports.map((report) => ({ name: report.name, outcomes: outcomesOf(report, cases) })),
  };
}

/** A backend that is unavailable may have reported no case at all. */
function outcomesOf({ status, reason, outcomes }: CheckReport, cases: typeof conformanceCases): readonly CaseOutcome[] {
  if (status !== 'unavailable' || outcomes.length > 0) return outcomes;
  return cases.map(({ id, kind, subject }): CaseOutcome => ({
    id,
    kind,
    subject,
    status: 'unavailable',
    ...(reason === undefined ? {} : { reason }),
  }));
}
