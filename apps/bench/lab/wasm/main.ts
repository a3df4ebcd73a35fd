/**
 * `pnpm --silent --filter @vastmax/bench lab:wasm [kernel] [--json] [--relaxed]`: the versions of each kernel
 * side by side. Exit code 1 when one that ships is wrong, 2 for arguments that mean nothing.
 */
import { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { experiments } from './experiments.ts';
import { measure, type Row } from './measure.ts';

const headings = ['kernel', 'version', 'size', 'max error', 'rate', 'best', 'to naive'];

function formatRow({
  kernel,
  version,
  ships,
  size,
  error,
  withinTolerance,
  unit,
  rate,
  bestRate,
  timesNaive,
}: Row): readonly string[] {
  return [
    kernel,
    ships ? `${version} *` : version,
    size.join('×'),
    `${error.toExponential(1)}${withinTolerance ? '' : ' !'}`,
    `${rate.toFixed(1)} ${unit}`,
    bestRate.toFixed(1),
    `${timesNaive.toFixed(1)}×`,
  ];
}

function formatTable(rows: readonly Row[]): string {
  const lines = [headings, ...rows.map(formatRow)];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n\n* ships; ! beyond the tolerance of what may ship\n`;
}

function readArguments(): { readonly wanted: string | undefined; readonly json: boolean; readonly relaxed: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: argv.slice(2),
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, relaxed: { type: 'boolean', default: false } },
    });
    const [wanted, ...more] = positionals;
    const names = experiments.map((experiment) => experiment.name);
    if (more.length > 0 || (wanted !== undefined && !names.includes(wanted))) {
      throw new Error(`'${positionals.join(' ')}' is not a kernel of the lab; there are ${names.join(', ')}`);
    }
    return { wanted, ...values };
  } catch (error) {
    stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
    exit(2);
  }
}

const { wanted, json, relaxed } = readArguments();
// The compiler takes seconds to load, and arguments that mean nothing do not need it.
const { createLabMemory } = await import('./memory.ts');
const memory = await createLabMemory(relaxed ? ['--enable', 'relaxed-simd'] : []);
const rows: Row[] = [];
for (const experiment of experiments) {
  if (wanted !== undefined && experiment.name !== wanted) continue;
  for (const size of experiment.sizes) {
    stderr.write(`${experiment.name} ${size.join('×')}\n`);
    rows.push(...measure(experiment, memory, size));
  }
}
stdout.write(json ? `${JSON.stringify(rows, undefined, 2)}\n` : formatTable(rows));
if (rows.some(({ ships, withinTolerance }) => ships && !withinTolerance)) exit(1);
