/**
 * `bench attention`: forward and backward through a transformer body, against the backend's own 512³ product in the
 * same rounds. What the share leaves is attention's small products, norms, activations and copies.
 */
import { Tape } from '@vastmax/autodiff';
import { fill } from '@vastmax/linalg-core';
import { TransformerBody, type SequenceInputs } from '@vastmax/lm-models';
import { RandomGenerator } from '@vastmax/sparse-data';
import { type BackendChoice, type BackendInUse, createBackend, resolveBackend } from '../measurement/backend-choice.ts';
import { gemmTask, gflops, pauseAfter, squareSize } from '../measurement/ceilings.ts';
import { type TimedTask, timeInterleaved, timingOf } from '../measurement/interleaved-timing.ts';
import { gemmFlops } from '../measurement/operation-counts.ts';
import type { Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import type { ShowStage } from '../reporting/stage-progress.ts';

export interface AttentionOptions {
  readonly backends: readonly BackendChoice[];
  readonly threads: number;
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly rounds: number;
}

interface AttentionRow {
  readonly backend: string;
  readonly threads: number;
  readonly batch: number;
  readonly length: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly medianMs: number;
  readonly milliseconds: Spread;
  /** GFLOP/s of the step over those of the square product, both of the same rounds. */
  readonly gemmCeilingShare: number;
}

export interface AttentionReport {
  readonly bench: 'attention';
  readonly machine: Machine;
  readonly backends: readonly BackendInUse[];
  readonly rows: readonly AttentionRow[];
}

const words = 1000;

export async function measureAttention(options: AttentionOptions, show: ShowStage): Promise<AttentionReport> {
  const rows: AttentionRow[] = [];
  const backends: BackendInUse[] = [];
  for (const choice of options.backends) {
    const { backend, inUse } = await createBackend(await resolveBackend(choice), options.threads);
    try {
      backends.push(inUse);
      rows.push(
        await measureBody({ backend, inUse }, options, (round) => {
          show(inUse.name, `round ${round} of ${options.rounds}`);
        }),
      );
    } finally {
      await backend.dispose();
    }
  }
  return { bench: 'attention', machine: describeMachine(), backends, rows };
}

async function measureBody(
  { backend, inUse }: Awaited<ReturnType<typeof createBackend>>,
  { batch, length, width, layers, heads, rounds }: AttentionOptions,
  onRound: (round: number) => void,
): Promise<AttentionRow> {
  using body = new TransformerBody(backend, {
    inputs: words,
    embedding: width,
    layers,
    heads,
    context: length,
  });
  using tape = new Tape(backend);
  using seed = backend.createMatrix(batch * length, width);
  fill(1, seed);
  const random = new RandomGenerator(1);
  const inputs: SequenceInputs = {
    steps: length,
    streams: batch,
    inputs: Int32Array.from({ length: batch * length }, () => random.integer(words)),
    starts: new Uint8Array(batch * length),
    predicted: undefined,
  };
  const step: TimedTask = {
    name: 'step',
    sampleMs: 10,
    pauseMs: pauseAfter(inUse),
    run: async (times) => {
      for (let i = 0; i < times; i++) {
        tape.reset();
        tape.backward(body.forward(tape, inputs, { training: true }), seed);
      }
      await backend.synchronize();
    },
  };
  const square = gemmTask(backend, inUse, squareSize, squareSize, squareSize);
  const timings = await timeInterleaved([step, square], { warmup: 3, rounds, onRound });
  const milliseconds = timingOf(timings, step.name);
  const ceiling = gflops(gemmFlops(squareSize, squareSize, squareSize), timingOf(timings, square.name).median);
  return {
    backend: inUse.name,
    threads: inUse.threads,
    batch,
    length,
    width,
    layers,
    heads,
    medianMs: milliseconds.median,
    milliseconds,
    gemmCeilingShare: gflops(bodyFlops(batch, length, width, layers), milliseconds.median) / ceiling,
  };
}

/**
 * Operations of forward and backward that a transformer cannot do without: three times those of the forward pass, in
 * which each position has products with 12d² weights of a layer, and two with the half of the positions that it sees.
 */
export function bodyFlops(batch: number, length: number, width: number, layers: number): number {
  return 3 * batch * length * layers * (24 * width * width + 2 * (length + 1) * width);
}
