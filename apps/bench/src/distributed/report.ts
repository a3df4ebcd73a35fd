import { markdownTable } from '../reporting/markdown-table.ts';
import { figure, grouped, percent } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { DistributedReport } from './measure.ts';

const gibibytes = (bytes: readonly number[]): string => bytes.map((each) => figure(each / 2 ** 30)).join(', ');

export function distributedTables({ machine, options, rows, jobs, model }: DistributedReport): string {
  const { layer, features, batch, ranks } = options;
  const parts = [
    `${machineLine(machine)}; ${ranks} ranks, d = ${features}, ${batch} examples a rank, ${layer === 'factored' ? 'Z-loss' : layer}, wasm f32 with one thread a rank`,
    markdownTable(
      [
        'over',
        'classes',
        'step ms',
        'quartiles',
        'a tenth below',
        'examples/s',
        'in communication',
        'bytes sent',
        'messages',
        'loss, first and last',
        'rows of each rank, GiB',
      ],
      rows.map((row) => [
        row.transport,
        grouped(row.classes),
        figure(row.medianMs),
        `${figure(row.lowerQuartileMs)} … ${figure(row.upperQuartileMs)}`,
        figure(row.undisturbedMs),
        grouped(row.examplesPerSecond),
        percent(row.communicationShare),
        grouped(row.bytesSentPerStep),
        figure(row.messagesPerStep),
        `${figure(row.firstLoss)}, ${figure(row.lastLoss)}`,
        gibibytes(row.rowBytesPerRank),
      ]),
    ),
    markdownTable(
      [
        'over',
        'communicator',
        'small exchange µs',
        'GB/s',
        'creation s',
        'memory of each rank now, GiB',
        'at most, GiB',
      ],
      jobs.map((job) => [
        job.transport,
        job.communicator,
        figure(job.exchangeMicroseconds),
        figure(job.bytesPerSecond / 1e9),
        figure(job.creationSeconds),
        gibibytes(job.residentBytes),
        gibibytes(job.peakBytes),
      ]),
    ),
  ];
  if (model !== null) {
    const { constants, limits } = model;
    parts.push(
      `A model, not a measurement: a rank's step is ${figure(constants.fixedMs)} ms and ${figure(1000 * constants.exampleMs)} µs an example (measured with one rank), a message costs ${figure(constants.messageMicroseconds)} µs (measured here); latency and bandwidth are stated.`,
      markdownTable(
        ['network', 'ranks', 'arithmetic ms', 'bandwidth ms', 'latency ms', 'step ms', 'examples/s', 'efficiency'],
        model.rows.map((row) => [
          row.network,
          grouped(row.ranks),
          figure(row.arithmeticMs),
          figure(row.bandwidthMs),
          figure(row.latencyMs),
          figure(row.stepMs),
          grouped(row.examplesPerSecond),
          percent(row.efficiency),
        ]),
      ),
      limits
        .map(
          ({ network, sameBatchEach, sharedBatch }) =>
            `${network}: doubling the ranks gains less than half of its share beyond ${grouped(sameBatchEach)} ranks of ${batch} examples each, and beyond ${grouped(sharedBatch)} that share 4,096 examples.`,
        )
        .join('\n'),
    );
  }
  return parts.join('\n\n');
}
