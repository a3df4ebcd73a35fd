import { formatSupport } from '@vastmax/backend-conformance';
import type { Exception, SubjectRow } from './support-summary.ts';
import { markdownTable } from '../reporting/markdown-table.ts';
import { missing } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { ConformanceReport } from './measure.ts';

const maxIds = 8;
const words: Readonly<Record<Exception['status'], string>> = {
  pass: 'passed',
  fail: 'FAILED',
  'known-failure': 'known failure',
  'not-offered': 'not offered',
  unavailable: 'not available here',
};

/** What docs/backends.md shows. */
export function supportSummary({ machine, cases, backends, subjects, exceptions }: ConformanceReport): string {
  const names = backends.map(({ name }) => name);
  const row = (label: string, count: number, passed: SubjectRow['passed']): string[] => [
    label,
    ...names.map((name) => cell(passed[name] ?? null, count)),
  ];
  const totals = Object.fromEntries(
    backends.map(({ name, status, passed }) => [name, status === 'unavailable' ? null : passed]),
  );
  const section = (kind: SubjectRow['kind'], title: string): string =>
    markdownTable(
      [title, ...names],
      subjects
        .filter((one) => one.kind === kind)
        .map(({ subject, cases: count, passed }) => row(subject, count, passed)),
    );
  return [
    machineLine(machine),
    markdownTable(
      ['backend', 'here', 'cases passed'],
      backends.map(({ name, detail }) => [name, detail ?? words.unavailable, cell(totals[name] ?? null, cases)]),
    ),
    section('kernel', 'kernel'),
    section('rule', 'rule'),
    exceptions.length === 0 ? 'Nothing failed, nothing is left out.' : exceptions.map(exceptionLine).join('\n'),
  ].join('\n\n');
}

/** A row for each case. */
export function supportInFull({ machine, tables }: ConformanceReport): string {
  return `${machineLine(machine)}\n\n${formatSupport(tables).trimEnd()}`;
}

function cell(passed: number | null, cases: number): string {
  return passed === null ? missing : `${passed} of ${cases}`;
}

function exceptionLine({ backends, status, reason, ids }: Exception): string {
  const which = `- ${backends.join(', ')}: ${words[status]}`;
  if (ids.length === 0) return `${which}: ${reason}`;
  const shown = ids
    .slice(0, maxIds)
    .map((id) => `\`${id}\``)
    .join(', ');
  const more = ids.length > maxIds ? ` and ${ids.length - maxIds} more` : '';
  return `${which}: ${ids.length} ${ids.length === 1 ? 'case' : 'cases'} (${shown}${more}): ${reason.replaceAll('\n', ' ')}`;
}
