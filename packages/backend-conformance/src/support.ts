/** The mode `support`: which cases each backend passes, as a table of data and as Markdown. */
import { checkBackend, type CaseOutcome, type CaseStatus, type CheckOptions } from './check.ts';
import type { BackendUnderTest } from './backend-under-test.ts';

/** Case → outcome, for one backend. */
export interface SupportTable {
  readonly name: string;
  readonly outcomes: readonly CaseOutcome[];
}

/**
 * Runs the cases and returns the outcomes. A required backend that is unavailable is listed as unavailable, like any
 * other.
 */
export async function supportOf(subject: BackendUnderTest, options: CheckOptions = {}): Promise<SupportTable> {
  const { name, outcomes } = await checkBackend(subject, options);
  return { name, outcomes };
}

const signs: Readonly<Record<CaseStatus, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  'known-failure': 'known failure',
  'not-offered': 'not offered',
  unavailable: 'unavailable',
};

/** A Markdown table, a row for each case and a column for each backend, with the reasons below it. */
export function formatSupport(tables: readonly SupportTable[]): string {
  const ids = [...new Set(tables.flatMap((table) => table.outcomes.map((outcome) => outcome.id)))];
  const notes: string[] = [];
  const noteOf = (reason: string): string => {
    const known = notes.indexOf(reason);
    return `[${known === -1 ? notes.push(reason) : known + 1}]`;
  };
  const lines = [
    `| case | ${tables.map((table) => cell(table.name)).join(' | ')} |`,
    `|---|${tables.map(() => '---|').join('')}`,
  ];
  for (const id of ids) {
    const cells = tables.map((table) => {
      const outcome = table.outcomes.find((candidate) => candidate.id === id);
      if (outcome === undefined) return '';
      return outcome.reason === undefined
        ? signs[outcome.status]
        : `${signs[outcome.status]} ${noteOf(outcome.reason)}`;
    });
    lines.push(`| ${id} | ${cells.join(' | ')} |`);
  }
  if (notes.length > 0) lines.push('', ...notes.map((note, i) => `[${i + 1}] ${note.replaceAll('\n', ' ')}  `));
  return `${lines.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
