/** `--output-layer ridge`: least squares of the labels on frozen vectors, in one pass. */
import { DenseBody, Network, type DenseNetwork } from '@vastmax/lm-models';
import { Classifier, classifierContent, type DenseClassifier } from '@vastmax/lm-models/labels';
import { writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { DenseBatches } from '@vastmax/sparse-data';
import { fitRidge, type RidgeBatch } from '@vastmax/spherical-losses';
import { createBackend, describeBackend, threadsOf } from '../options/backend-choice.ts';
import { denseBody, type DenseTrainOptions } from '../options/dense-options.ts';
import { bytes, count, duration, Progress } from '../terminal/terminal.ts';
import { describeVectors } from '../run/training-plan.ts';
import type { DenseTrainingData } from './dense-data.ts';

/**
 * Fits, saves and prints.
 * @returns undefined for a dry run. The caller disposes the classifier.
 */
export async function fitRidgeHead(
  options: DenseTrainOptions,
  data: DenseTrainingData,
  signal: AbortSignal,
): Promise<DenseClassifier | undefined> {
  const { precision, seed, out, batch: batchSize } = options;
  const { training: examples, frequencies, labels, fingerprint } = data;
  const { inputs, targets, rows } = examples;
  const backend = await createBackend(options.backend, precision, threadsOf(options));
  const classes = labels.length;
  const features = inputs.columns;
  const width = features + 1;
  const [name, size] = describeVectors(data);
  const lines = [
    `backend      ${describeBackend(backend)}`,
    `${name.padEnd(12)} ${size}`,
    `output       ridge, ${count(classes * width)} parameters`,
    // The sums and the layer that is made of them.
    `memory       ${bytes(2 * classes * width * (precision === 'f64' ? 8 : 4))}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (options.dryRun === true) {
    process.stdout.write('dry run: nothing was fitted and nothing written\n');
    return undefined;
  }
  const start = performance.now();
  const batches = new DenseBatches({ inputs, targets, rows, batchSize, seed, shuffle: false });
  using fit = await fitRidge(backend, onePass(batches, signal), { classes, features });
  const { lambda, criterion, degreesOfFreedom } = await fit.chooseLambda();
  const output = await fit.createLayer({ lambda });
  const choice = {
    body: { ...denseBody(options, 1), inputDropout: 0 },
    output: {
      kind: 'factored',
      loss: { name: 'squared-error', options: { targetValue: 1 } },
      initialScale: 0,
      seed,
    },
  } as const;
  const { kind, ...bodyOptions } = choice.body;
  void kind;
  const body = new DenseBody(backend, { ...bodyOptions, inputs: features });
  const network: DenseNetwork = new Network(choice, { inputs: features, frequencies }, body, output);
  const classifier = new Classifier<DenseNetwork>(network, { labels, examples: rows.length });
  const content = classifierContent(classifier);
  await writeCheckpoint(createFileStorage(out), {
    configuration: {
      command: 'train',
      model: choice as unknown as JsonObject,
      ridge: { lambda, criterion, degreesOfFreedom },
      step: 0,
      examples: rows.length,
      options: JSON.parse(JSON.stringify(options)) as JsonObject,
      ...content.configuration,
      pointsHash: fingerprint,
      precision,
      batchSize,
    },
    modules: network.modules(),
    texts: content.texts,
  });
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(
    `lambda       ${lambda.toPrecision(3)}, by generalised cross-validation; ${degreesOfFreedom.toFixed(0)} degrees of freedom\n` +
      `fitted       ${count(rows.length)} examples in ${duration(seconds)}\nsaved        ${out}\n`,
  );
  return classifier;
}

/** One epoch, with progress. */
function* onePass(batches: DenseBatches, signal: AbortSignal): Generator<RidgeBatch, void, undefined> {
  using progress = new Progress('training');
  let done = 0;
  for (;;) {
    signal.throwIfAborted();
    const { size, inputs, targets, endOfEpoch } = batches.next();
    yield { hidden: inputs.values as Float32Array | Float64Array, targets };
    done += size;
    progress.update(done / batches.examplesPerEpoch, [`${count(done)} examples`]);
    if (endOfEpoch) return;
  }
}
