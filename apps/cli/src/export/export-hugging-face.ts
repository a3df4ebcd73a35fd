/**
 * `export --format huggingface`: a checkpoint whose files have the names of the hub, with a model card. It is opened as
 * any checkpoint; what only training needs, and the paths of the training's options, are left out.
 */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { openCheckpoint, parseJson, publishCheckpoint, type Checkpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import type { JsonObject, ModuleState } from '@vastmax/linalg-core/state';
import { networkOptionsFrom } from '@vastmax/lm-models';
import { isClassifier, isDenseClassifier } from '@vastmax/lm-models/labels';
import { recommenderNameOf } from '@vastmax/lm-models/recommenders';
import type { BackendOptions } from '../options/backend-choice.ts';
import { checkOutputFolder } from '../run/run-folder.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { bytes, Progress } from '../terminal/terminal.ts';
import { loadAnyModel, ownerOf } from '../text/open-model.ts';
import { modelCard, type CardFacts, type ModelTask } from './model-card.ts';

export interface ExportHuggingFaceOptions extends BackendOptions {
  readonly output: string;
  readonly license?: string;
  readonly metrics?: string;
  readonly overwrite?: true;
  readonly json?: true;
}

/** Modules of a checkpoint that only training reads. */
const ofTraining = ['optimizer'];
/** Parts of its configuration that only training reads; the options have paths of this machine. */
const fieldsOfTraining = [
  'command',
  'options',
  'training',
  'cursor',
  'tokens',
  'tokensHash',
  'pointsHash',
  'rateSearch',
];

export async function exportHuggingFace(directory: string, options: ExportHuggingFaceOptions): Promise<void> {
  const { output, license, metrics: metricsFile } = options;
  if (resolve(output) === resolve(directory))
    throw new UsageError(`--output ${output} is the model itself, which training may go on from; give another folder`);
  if (license !== undefined && !/^[a-z0-9][a-z0-9.-]*$/.test(license))
    throw new UsageError(
      `--license is '${license}'; give the hub's name of a licence in small letters, such as mit or cc-by-4.0`,
    );
  const metrics = metricsFile === undefined ? [] : await readMetrics(metricsFile);
  await checkOutputFolder(output, { overwrite: options.overwrite === true, otherwise: 'or give another folder' });
  using interruption = new Interruption();
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  const facts = await factsOf(options, checkpoint);
  const configuration: JsonObject = Object.fromEntries(
    Object.entries(checkpoint.configuration).filter(([name]) => !fieldsOfTraining.includes(name)),
  );
  const modules: Readonly<Record<string, ModuleState>> = Object.fromEntries(
    checkpoint.moduleNames.filter((name) => !ofTraining.includes(name)).map((name) => [name, checkpoint.module(name)]),
  );
  const { classes, inputs, features, parameters, task } = facts;
  const config = {
    model_type: 'vastmax',
    architectures: ['VastmaxNetwork'],
    task,
    num_classes: classes,
    num_inputs: inputs,
    hidden_size: features,
    num_parameters: parameters,
    ...configuration,
  };
  const card = modelCard(
    { ...facts, name: basename(resolve(output)), files: checkpoint.textNames },
    { ...(license === undefined ? {} : { license }), metrics },
  );
  using progress = new Progress('exporting');
  const storage = createFileStorage(output);
  await publishCheckpoint(
    storage,
    {
      configuration,
      modules,
      texts: Object.fromEntries(checkpoint.textNames.map((name) => [name, checkpoint.text(name)])),
      documents: { 'README.md': card, 'config.json': `${JSON.stringify(config, null, 2)}\n` },
    },
    {
      signal: interruption.signal,
      onProgress: (done, total) => {
        progress.update(done / total, []);
      },
    },
  );
  await using written = await openCheckpoint(storage);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ output, format: 'huggingface', bytes: written.bytes, config })}\n`);
    return;
  }
  process.stdout.write(
    `exported     a Hugging Face folder, ${bytes(checkpoint.bytes)} with what training needs → ${bytes(written.bytes)}\nsaved        ${output}\n`,
  );
}

/** Loads the model: a folder that could not be used is not published. */
async function factsOf(options: BackendOptions, checkpoint: Checkpoint): Promise<Omit<CardFacts, 'name' | 'files'>> {
  const { configuration } = checkpoint;
  using owned = ownerOf(await loadAnyModel(options, checkpoint));
  const { body, output, sizes } = owned.network;
  const choice = networkOptionsFrom(configuration);
  const { step, examples } = configuration;
  return {
    task: taskOf(configuration),
    body: choice.body.kind,
    output: choice.output.kind,
    ...('loss' in choice.output ? { loss: choice.output.loss.name } : {}),
    classes: output.classes,
    inputs: sizes.inputs,
    features: body.features,
    parameters: body.parameterCount + output.classes * (output.features + 1),
    isNormalized: output.isNormalized,
    ...(typeof step === 'number' && step > 0 ? { steps: step } : {}),
    ...(typeof examples === 'number' ? { examples } : {}),
  };
}

function taskOf(configuration: JsonObject): ModelTask {
  if (recommenderNameOf(configuration) !== undefined) return 'recommendation';
  if (isDenseClassifier(configuration)) return 'classification of vectors';
  if (!isClassifier(configuration)) return 'next words';
  return configuration['textFeatures'] === undefined ? 'classification of points' : 'classification of texts';
}

/** The numbers of a JSON object, those of objects in it with the names of both. @throws UsageError. */
async function readMetrics(file: string): Promise<readonly (readonly [string, number])[]> {
  const refuse = (cause?: unknown): never => {
    throw new UsageError(`--metrics ${file} is no JSON object; give what vastmax evaluate --json has printed`, {
      cause,
    });
  };
  const content = await readFile(file, 'utf8').catch(refuse);
  const value = parseJson(content, { depth: 8, values: 10_000 }, (_, cause) => refuse(cause));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse();
  return numbersOf(value);
}

function numbersOf(value: object, prefix = ''): readonly (readonly [string, number])[] {
  return Object.entries(value).flatMap(([name, field]: [string, unknown]): readonly (readonly [string, number])[] => {
    const path = `${prefix}${name}`;
    if (typeof field === 'number') return [[path, field]];
    return typeof field === 'object' && field !== null && !Array.isArray(field) ? numbersOf(field, `${path}.`) : [];
  });
}
