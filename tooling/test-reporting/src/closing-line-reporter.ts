// Prints the last line of a test run, for people and programs: `12 passed, 0 failed`, with `, 3 skipped` if tests were
// skipped. Before it, it prints the reasons of the skips, each with its number of tests, and the files
// that a crash interrupted. A test file that did not load,
// and an error outside a test, each count as one failure, because they have no tests to count.

import { writeSync } from 'node:fs';
import type { Reporter, TestModule, Vitest } from 'vitest/node';

interface RunCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts over all projects; skipped and todo tests are one number. */
function countRun(modules: readonly TestModule[], errorsOutsideTests: number): RunCounts {
  const counts = { passed: 0, failed: errorsOutsideTests, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that is still pending was interrupted, for example by a crash: it did not pass.
      counts[state === 'pending' ? 'failed' : state] += 1;
    }
  }
  return counts;
}

/** The reasons of skips with their numbers of tests, the most frequent first. */
function reasonsOfSkips(modules: readonly TestModule[]): readonly (readonly [reason: string, tests: number])[] {
  const counts = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state !== 'skipped') continue;
      // A case of a conformance suite has its reason in its name, in brackets at the end.
      const reason = result.note ?? /\(([^()]+)\)$/.exec(test.name)?.[1] ?? `no reason given: ${test.fullName}`;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** The files whose process ended before their tests did, and where: a crash leaves no other trace. */
function interruptions(modules: readonly TestModule[]): string[] {
  return modules.flatMap((module) => {
    const tests = [...module.children.allTests()];
    const pending = tests.filter((test) => test.result().state === 'pending');
    return pending.length === 0
      ? []
      : `interrupted in ${module.relativeModuleId}: ${pending.length} of ${tests.length} tests did not end, the first of them '${pending[0]!.fullName}'`;
  });
}

/** `N passed, N failed`, and `, N skipped` only if tests were skipped. */
function formatClosingLine({ passed, failed, skipped }: RunCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Prints the closing line when the process exits, after everything that the other reporters print. */
export class ClosingLineReporter implements Reporter {
  #line = '0 passed, 0 failed';
  #waiting = false;
  /** Whether the run has a filter (`-t`): most tests are then skipped only because of it. */
  #isFiltered = false;

  onInit({ config }: Vitest): void {
    this.#isFiltered = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const skips = this.#isFiltered ? [] : reasonsOfSkips(modules);
    const reasons = skips.map(([reason, tests]) => `skipped ${tests}: ${reason}\n`);
    const interrupted = interruptions(modules).map((line) => `${line}\n`);
    this.#line = [...reasons, ...interrupted].join('') + formatClosingLine(countRun(modules, unhandledErrors.length));
    if (this.#waiting) return;
    this.#waiting = true;
    process.once('exit', () => {
      writeSync(1, `${this.#line}\n`);
    });
  }
}
