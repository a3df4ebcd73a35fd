/**
 * `bench conformance`: every backend against the whole suite of @vastmax/backend-conformance, as the table of
 * docs/backends.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { conformanceCases, type CaseOutcome, type CheckReport, type SupportTable } from '@vastmax/backend-conformance';
import { InvalidArgumentError, type Command } from 'commander';
import { backendsUnderTest, checkNamed } from './conformance/backends-under-test.ts';
import { supportInFull, supportSummary } from './conformance/conformance-tables.ts';
import { exceptionsOf, summariseSupport, type Exception, type SubjectRow } from './conformance/support-summary.ts';
import { BenchError } from './measurement/bench-error.ts';
import { printReport } from './report/bench-output.ts';
import { describeMachine, type Machine } from './report/machine.ts';
import { replaceSection } from './report/marked-sections.ts';
import { stageProgress, type ShowStage } from './report/stage-progress.ts';

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

interface Options extends ConformanceOptions {
  readonly json: boolean;
  readonly full: boolean;
  readonly out: string | undefined;
}

/** The section of docs/backends.md. */
const sectionName = 'support';

export function addConformanceCommand(program: Command): void {
  program
    .command('conformance')
    .description('run the conformance suite on every backend, and say what each supports')
    .option('--json', 'print one JSON object with every case instead of tables', false)
    .option('--full', 'a row for each case instead of one for each kernel and rule', false)
    .option('--backends <list>', 'with commas between', parseBackends, backendsUnderTest)
    .option('--cases <text>', 'only cases with this text in their id')
    .option('-o, --out <folder>', 'also write the table into backends.md in this folder')
    .addHelpText(
      'after',
      `
Backends: ${backendsUnderTest.join(', ')}.
One that is not available is named with the reason, and is no failure. webgpu-dawn
takes the machine's GPU, or SwiftShader where there is none. webgpu-chromium runs
the built packages in a headless Chromium: run pnpm build before.

Takes about three minutes where the GPU is in software. Ends with exit code 1
when a case fails.

Examples:
  $ pnpm --silent bench conformance --out docs
  $ pnpm --silent bench conformance --backends plain-f32,wasm-f32 --cases gemm/ --full`,
    )
    .action(async ({ json, full, out, ...options }: Options) => {
      if (out !== undefined && (options.cases !== undefined || options.backends.length < backendsUnderTest.length)) {
        throw new BenchError(
          'bad-option',
          '--out writes the table of all backends and cases; leave out --backends and --cases, or --out',
        );
      }
      const { show, end } = stageProgress('conformance');
      const report = await checkBackends(options, show);
      end();
      if (out !== undefined) await writeDocument(join(out, 'backends.md'), supportSummary(report));
      printReport(report, json, full ? supportInFull : supportSummary);
      if (report.backends.some(({ status }) => status === 'failed')) process.exitCode = 1;
    });
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

function parseBackends(text: string): readonly string[] {
  const names = [...new Set(text.split(','))];
  const unknown = names.find((name) => !backendsUnderTest.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`'${unknown}' is none of ${backendsUnderTest.join(', ')}.`);
  return names;
}

async function writeDocument(path: string, content: string): Promise<void> {
  let document: string;
  try {
    document = await readFile(path, 'utf8');
  } catch (error) {
    throw new BenchError(
      'failed',
      `${path} could not be read (${(error as Error).message}); --out is the folder of backends.md`,
    );
  }
  await writeFile(path, replaceSection(document, sectionName, content));
}
