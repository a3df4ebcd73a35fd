/** Lets a process for each core open damaged files, and starts one again where it had to be ended. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { BenchError } from '../measurement/bench-error.ts';
import type { HostileKind } from './damage.ts';
import type { SubjectReport, SubjectTask } from './subject.ts';

/** A process takes seconds to start. */
const mutationsPerProcess = 2000;

export interface HostileOptions {
  readonly mutations: number;
  readonly seed: number;
  readonly kinds: readonly HostileKind[];
  /** The number of the first mutation; to repeat one. */
  readonly first: number;
}

interface HostileFinding {
  /** With --seed and --first this number repeats it. */
  readonly number: number;
  readonly kind: string;
  readonly detail: string;
}

export interface HostileReport {
  readonly mutations: number;
  readonly opened: number;
  readonly refused: number;
  readonly untyped: number;
  readonly hung: number;
  /** Above the idle process, while one was open. */
  readonly largestResidentBytes: number;
  readonly seed: number;
  readonly seconds: number;
  /** Untyped errors, hangs, and what took more memory than 4 times the file and 64 MiB. */
  readonly findings: readonly HostileFinding[];
  /** How many took more memory than that. */
  readonly overrun: number;
}

export interface HostileProgress {
  readonly onProgress: (done: number) => void;
  readonly onFinding: (finding: HostileFinding) => void;
}

type Finding = Exclude<SubjectReport, { readonly type: 'at' }>;

interface Counts {
  opened: number;
  refused: number;
  largest: number;
  readonly reports: Finding[];
  readonly onFinding: HostileProgress['onFinding'];
}

export async function measureHostile(
  { mutations, seed, kinds, first }: HostileOptions,
  { onProgress, onFinding }: HostileProgress,
): Promise<HostileReport> {
  const started = performance.now();
  const counts: Counts = { opened: 0, refused: 0, largest: 0, reports: [], onFinding };
  const end = first + mutations;
  const processes = Math.min(availableParallelism(), Math.ceil(mutations / mutationsPerProcess));
  const done = new Float64Array(processes);
  const bounds = Array.from({ length: processes + 1 }, (_, at) => first + Math.floor((at * mutations) / processes));
  await Promise.all(
    Array.from({ length: processes }, async (_, at) => {
      const [from = first, to = end] = [bounds[at], bounds[at + 1]];
      for (let next = from; next < to;) {
        next = await runSubject({ seed, first: next, end: to, kinds }, counts, (number) => {
          done[at] = number - from;
          onProgress(done.reduce((sum, each) => sum + each, 0));
        });
        if (counts.reports.length > 10_000) throw new BenchError('failed', 'more than 10,000 findings');
      }
    }),
  );
  const ofType = (type: string): number => counts.reports.filter((each) => each.type === type).length;
  return {
    mutations,
    opened: counts.opened,
    refused: counts.refused,
    untyped: ofType('untyped'),
    hung: ofType('hung'),
    largestResidentBytes: counts.largest,
    seed,
    seconds: (performance.now() - started) / 1000,
    findings: counts.reports.slice(0, 50).map(shorten),
    overrun: ofType('overrun'),
  };
}

function shorten({ type, number, kind, detail }: Finding): HostileFinding {
  return { number, kind, detail: `${type}: ${detail}` };
}

function add(finding: Finding, { reports, onFinding }: Counts): void {
  reports.push(finding);
  onFinding(shorten(finding));
}

/** @returns the number of the mutation after the last. */
async function runSubject(task: SubjectTask, counts: Counts, onProgress: (number: number) => void): Promise<number> {
  const program = fileURLToPath(new URL('./subject.ts', import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', ...process.execArgv, program, JSON.stringify(task)], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  let last: Extract<SubjectReport, { readonly type: 'at' }> = {
    type: 'at',
    number: task.first,
    opened: 0,
    refused: 0,
    largest: 0,
  };
  let seen = task.first - 1;
  const lines = createInterface({ input: child.stdio[3] as Readable });
  lines.on('line', (line) => {
    const report = JSON.parse(line) as SubjectReport;
    if (report.type !== 'at') {
      add(report, counts);
      seen = Math.max(seen, report.number);
      return;
    }
    last = report;
    onProgress(report.number);
  });
  const ending = await new Promise<string>((done) => {
    child.on('error', ({ message }) => {
      done(message);
    });
    child.on('close', (code, signal) => {
      done(signal === null ? `exit code ${code}` : `ended by ${signal}`);
    });
  });
  counts.opened += last.opened;
  counts.refused += last.refused;
  counts.largest = Math.max(counts.largest, last.largest);
  if (last.number === task.end) return task.end;
  const number = Math.max(last.number, seen);
  if (seen < last.number)
    add({ type: 'hung', number, kind: '', detail: `the process has ended soon after (${ending})` }, counts);
  return number + 1;
}
