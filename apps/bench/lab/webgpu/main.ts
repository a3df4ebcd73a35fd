/**
 * `pnpm --silent --filter @vastmax/bench lab:webgpu [kernel] [--json] [--software] [--rounds 5]`: the versions of
 * each kernel side by side, on the machine's GPU, or on SwiftShader where there is none (or with --software), where
 * only the ratios mean something. Exit code 1 when a version is wrong, 2 for arguments that mean nothing.
 */
import { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { requestDevice } from '@vastmax/gpu-backend-webgpu/testing';
import { findGpu } from '../../src/webgpu/gpu-in-use.ts';
import { gemmExperiments } from './gemm-experiments.ts';
import { measure, type Row } from './measure.ts';
import { solveExperiments } from './solve-experiments.ts';

const experiments = { ...gemmExperiments, ...solveExperiments };
const headings = ['kernel', 'version', 'm×n×k', 'dispatches', 'error', 'ms', 'GFLOP/s', 'to first'];

function formatRow({
  kernel,
  version,
  ships,
  m,
  n,
  k,
  dispatches,
  error,
  milliseconds,
  gflops,
  timesFirst,
}: Row): readonly string[] {
  return [
    kernel,
    ships ? `${version} *` : version,
    `${m}×${n}×${k}`,
    String(dispatches),
    `${error.toFixed(3)}${error <= 1 ? '' : ' !'}`,
    milliseconds.toPrecision(3),
    gflops.toPrecision(3),
    `${timesFirst.toFixed(1)}×`,
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
  return `${text.join('\n')}\n\n* ships; ! beyond what is allowed, which is 1\n`;
}

function readArguments(): {
  readonly wanted: string | undefined;
  readonly json: boolean;
  readonly software: boolean;
  readonly rounds: number;
} {
  try {
    const { values, positionals } = parseArgs({
      args: argv.slice(2),
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        software: { type: 'boolean', default: false },
        rounds: { type: 'string', default: '5' },
      },
    });
    const [wanted, ...more] = positionals;
    if (more.length > 0 || (wanted !== undefined && !Object.hasOwn(experiments, wanted))) {
      throw new Error(
        `'${positionals.join(' ')}' is not a kernel of the lab; there are ${Object.keys(experiments).join(', ')}`,
      );
    }
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds must be a whole number from 1 on, got '${values.rounds}'`);
    return { wanted, json: values.json, software: values.software, rounds };
  } catch (error) {
    stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
    exit(2);
  }
}

const { wanted, json, software, rounds } = readArguments();
const { detail: adapter } = await findGpu(software);
const { device } = await requestDevice({ powerPreference: 'high-performance' });
const results: Row[] = [];
for (const [kernel, creators] of Object.entries(experiments)) {
  if (wanted !== undefined && kernel !== wanted) continue;
  for (const create of creators) {
    const experiment = create();
    stderr.write(`${kernel} ${experiment.size.join('×')}\n`);
    results.push(...(await measure(device, experiment, rounds)));
  }
}
stdout.write(
  json ? `${JSON.stringify({ adapter, rounds, results }, undefined, 2)}\n` : `${adapter}\n\n${formatTable(results)}`,
);
device.destroy();
exit(results.every(({ error }) => error <= 1) ? 0 : 1);
