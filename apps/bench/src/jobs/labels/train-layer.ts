/**
 * A program: trains a classifier of one output layer on labelled lines and prints what that took and what it can do,
 * as JSON. In a process of its own, so that the largest resident memory is that of this training. With the defaults
 * that a user of the library has.
 */
import {
  bagModelShape,
  createNetwork,
  outputLayerOf,
  Trainer,
  type BagNetwork,
  type OutputLayerName,
} from '@vastmax/lm-models';
import { classifierTraining } from '@vastmax/lm-models/labels';
import { evaluateMultiLabel } from '@vastmax/lm-models/metrics';
import { columnCounts, SparseBatches } from '@vastmax/sparse-data';
import { createBackend, type BackendName } from '../../measurement/backend-choice.ts';
import { peakResidentBytes } from '../../measurement/memory-use.ts';
import { defaultOutput } from './default-output.ts';
import { readLabelledFile } from './read-labelled.ts';

/** What all layers of a bench have in common. */
export interface LayerSettings {
  readonly embedding: number;
  readonly epochs: number;
  readonly batch: number;
  readonly backend: BackendName;
  readonly threads: number;
  readonly seed: number;
}

export interface LayerRequest extends LayerSettings {
  readonly layer: OutputLayerName;
  readonly trainFile: string;
  readonly testFile: string;
}

/** Times are from the opening of the training file on. */
export interface LayerOutcome {
  /** Until the lines are in memory. */
  readonly readSeconds: number;
  /** Until the model is trained. */
  readonly trainSeconds: number;
  readonly precisionAt1: number;
  readonly precisionAt5: number;
  /** Before the test. */
  readonly peakMiB: number;
  readonly rates: { readonly output: number; readonly body: number; readonly optimizer: string };
}

export async function trainLayer(request: LayerRequest): Promise<LayerOutcome> {
  const { layer, embedding, epochs, batch, seed } = request;
  const { backend } = await createBackend(request.backend, request.threads);
  const start = performance.now();
  const file = await readLabelledFile(request.trainFile);
  const { inputs, targets } = file.rows;
  const readSeconds = (performance.now() - start) / 1000;
  const updates = (epochs * (inputs.offsets[inputs.rows] ?? 0)) / inputs.columns;
  const name = layer === 'factored' ? 'z-loss' : layer;
  const { outputRate, bodyRate, optimizer } = classifierTraining(name, { updates });
  const output = defaultOutput(name, seed);
  using network: BagNetwork = await createNetwork(
    backend,
    { inputs: inputs.columns, frequencies: columnCounts(targets) },
    { body: { kind: 'bag', ...bagModelShape('text-classifier'), embedding, seed }, output },
  );
  const targetWeights = outputLayerOf(layer).abilities.targetWeights(output);
  using trainer = new Trainer(network, new SparseBatches({ inputs, targets, batchSize: batch, seed, targetWeights }), {
    outputRate,
    bodyRate,
    optimizer,
    schedule: 'linear',
    examples: epochs * inputs.rows,
  });
  for await (const event of trainer.run()) if (event.type === 'finished') break;
  await backend.synchronize();
  const trainSeconds = (performance.now() - start) / 1000;
  const peakMiB = peakResidentBytes() / 2 ** 20;

  const held = new SparseBatches({ ...(await file.read(request.testFile)), batchSize: 256, shuffle: false });
  const { atK } = await evaluateMultiLabel(network, held, { ks: [1, 5] });
  await backend.dispose();
  return {
    readSeconds,
    trainSeconds,
    precisionAt1: atK[0]?.precision ?? Number.NaN,
    precisionAt5: atK[1]?.precision ?? Number.NaN,
    peakMiB,
    rates: { output: outputRate, body: bodyRate, optimizer },
  };
}

const [request] = process.argv.slice(2);
if (request !== undefined) {
  const outcome = await trainLayer(JSON.parse(request) as LayerRequest);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
