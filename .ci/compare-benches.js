#!/usr/bin/env node
// Compares two checkouts, both installed, on one machine: `.ci/compare-benches.js BASE HEAD` prints a Markdown table of
// a factored step in units of a product on the same backend. The two take turns, and a row has the medians of the turns,
// so that other load on the machine falls on both. A ratio above 1 means that HEAD is slower.

import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

const turns = 5;
const cases = [
  ['wasm', '--batch', '128'],
  ['wasm', '--batch', '1024'],
  ['openblas', '--batch', '128'],
];

const [base, head] = process.argv.slice(2);
if (base === undefined || head === undefined) {
  process.stderr.write(
    'usage: .ci/compare-benches.js BASE HEAD, two folders of checkouts in which pnpm install has run\n',
  );
  process.exit(2);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(folder, [backend, ...options]) {
  const given = ['--backend', backend, '--classes', '200000', '--rounds', '20', '--seconds', '10', ...options];
  const printed = execFileSync('pnpm', ['--silent', 'bench', 'output-layer', ...given, '--json'], {
    cwd: resolve(folder),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { factored } = JSON.parse(printed);
  return { milliseconds: factored.medianMs, products: factored.stepOverGemm };
}

const rows = cases.map((each) => {
  const results = { base: [], head: [] };
  for (let turn = 0; turn < turns; turn++) {
    const order = turn % 2 === 0 ? ['base', 'head'] : ['head', 'base'];
    for (const which of order) results[which].push(measure(which === 'base' ? base : head, each));
  }
  const of = (which, field) => median(results[which].map((result) => result[field]));
  const ratio = of('head', 'milliseconds') / of('base', 'milliseconds');
  return [
    `${each[0]}, m = ${each.at(-1)}`,
    of('base', 'milliseconds').toFixed(2),
    of('head', 'milliseconds').toFixed(2),
    ratio.toFixed(3),
    of('base', 'products').toFixed(2),
    of('head', 'products').toFixed(2),
  ];
});

process.stdout.write(`A factored step, D = 200,000, d = 300; medians of ${turns} turns on one machine.

| case | base, ms | this, ms | ratio | base, in products | this, in products |
| --- | ---: | ---: | ---: | ---: | ---: |
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}
`);
