/**
 * Hundreds of cases are too many to read: what each backend does, by kernel and by rule, and every case that is not
 * simply passed.
 */
import type { CaseOutcome, CheckReport, ConformanceCase } from '@vastmax/backend-conformance';

export interface SubjectRow {
  readonly kind: ConformanceCase['kind'];
  /** The kernel's name, or the rule. */
  readonly subject: string;
  readonly cases: number;
  /** By backend; null where it is unavailable. */
  readonly passed: Readonly<Record<string, number | null>>;
}

/** Cases with the same outcome for the same reason. */
export interface Exception {
  readonly backends: readonly string[];
  readonly status: CaseOutcome['status'];
  readonly reason: string;
  /** None where the backends are unavailable. */
  readonly ids: readonly string[];
}

/** Kernels first, then rules, each in the order of the suite. */
export function summariseSupport(
  cases: readonly ConformanceCase[],
  reports: readonly CheckReport[],
): readonly SubjectRow[] {
  const subjects = new Map<string, readonly ConformanceCase[]>();
  for (const one of cases) {
    const key = `${one.kind} ${one.subject}`;
    subjects.set(key, [...(subjects.get(key) ?? []), one]);
  }
  const rows = [...subjects.values()].flatMap((group): SubjectRow[] => {
    const [first] = group;
    if (first === undefined) return [];
    const ids = new Set(group.map(({ id }) => id));
    const passed = reports.map((report) => [report.name, countPassed(report, ids)] as const);
    return [{ kind: first.kind, subject: first.subject, cases: group.length, passed: Object.fromEntries(passed) }];
  });
  return [...rows.filter(({ kind }) => kind === 'kernel'), ...rows.filter(({ kind }) => kind === 'rule')];
}

function countPassed({ status, outcomes }: CheckReport, ids: ReadonlySet<string>): number | null {
  if (status === 'unavailable') return null;
  return outcomes.filter((outcome) => outcome.status === 'pass' && ids.has(outcome.id)).length;
}

/** By backend, and backends with the same exception together. */
export function exceptionsOf(reports: readonly CheckReport[]): readonly Exception[] {
  const together = new Map<string, Exception>();
  for (const exception of reports.flatMap(exceptionsOfOne)) {
    const { backends, ...what } = exception;
    const key = JSON.stringify(what);
    together.set(key, { ...what, backends: [...(together.get(key)?.backends ?? []), ...backends] });
  }
  return [...together.values()];
}

function exceptionsOfOne({ name, status, reason = '', outcomes }: CheckReport): readonly Exception[] {
  if (status === 'unavailable') return [{ backends: [name], status, reason, ids: [] }];
  const groups = new Map<string, Exception & { readonly ids: string[] }>();
  for (const outcome of outcomes) {
    if (outcome.status === 'pass') continue;
    const key = `${outcome.status} ${outcome.reason ?? ''}`;
    const group = groups.get(key) ?? {
      backends: [name],
      status: outcome.status,
      reason: outcome.reason ?? '',
      ids: [],
    };
    groups.set(key, group);
    group.ids.push(outcome.id);
  }
  return [...groups.values()];
}
