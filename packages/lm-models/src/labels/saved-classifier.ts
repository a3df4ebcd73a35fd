/** Classifiers in checkpoints: beside the network, the name of each class, and how texts are made features. */
import { CheckpointError, parseJson, type Checkpoint } from '@vastmax/checkpoints';
import type { Backend } from '@vastmax/linalg-core';
import type { JsonObject } from '@vastmax/linalg-core/state';
import { isSparseDataError } from '@vastmax/sparse-data';
import { checkNgramSettings, type NgramSettings } from '@vastmax/sparse-data/records';
import { ModelError } from '../model-error.ts';
import { loadNetwork } from '../network/create-network.ts';
import { networkOptionsFrom } from '../network/network-options.ts';
import { checkFields, isObject, text, whole } from '../saved-fields.ts';
import { loadTextReading, readVocabulary, type SubwordTokenizer } from '../text/text-reading.ts';
import {
  Classifier,
  createClassifierTexts,
  type ClassifierParts,
  type ClassifierTexts,
  type DenseClassifier,
  type LabelName,
} from './classifier.ts';

/** The text of a checkpoint with the labels: a JSON array of their names, or of the numbers that points give them. */
const labelsText = 'labels.json';
const model = 'classifier';

/** Whether a checkpoint's configuration is that of a classifier. */
export function isClassifier({ exampleSettings }: JsonObject): boolean {
  return isObject(exampleSettings) && exampleSettings['model'] === model;
}

/** Whether it is that of a classifier of vectors. */
export function isDenseClassifier(configuration: JsonObject): boolean {
  return isClassifier(configuration) && networkOptionsFrom(configuration).body.kind === 'dense';
}

/** What a checkpoint keeps of a classifier beside the trainer's snapshot: parts of its configuration, and texts. */
export function classifierContent({ labels, examples, texts }: ClassifierParts): {
  readonly configuration: JsonObject;
  readonly texts: Readonly<Record<string, string>>;
} {
  const common = { exampleSettings: { model }, points: examples };
  const names = { [labelsText]: JSON.stringify(Array.from(labels)) };
  if (texts === undefined) return { configuration: common, texts: names };
  const { reading, features, labelPrefix } = texts;
  return {
    configuration: {
      ...common,
      text: { ...reading.settings },
      textFeatures: { ...features.ngrams, labelPrefix },
    },
    texts: { ...names, ...reading.texts, 'vocabulary.json': JSON.stringify(features.vocabulary) },
  };
}

/** An opened checkpoint has this shape. */
export type SavedClassifier = Pick<Checkpoint, 'configuration' | 'location' | 'module' | 'moduleNames' | 'text'>;

/** Makes a subword tokenizer out of the parsed tokenizer.json. */
export type CreateSubword = (json: unknown, options: { readonly name: string }) => SubwordTokenizer;

/**
 * All of a classifier but its network.
 * @param createSubword `createSubwordTokenizer` of `@vastmax/text-readers`.
 * @throws ModelError `state-mismatch`, CheckpointError `bad-json` for what is damaged in a way that checksums do not
 * detect.
 */
export function readClassifierParts(saved: SavedClassifier, createSubword: CreateSubword): ClassifierParts {
  const { configuration, location } = saved;
  const { points } = configuration;
  if (typeof points !== 'number' || !Number.isSafeInteger(points) || points < 0) {
    throw new ModelError(
      'state-mismatch',
      `${location}: the checkpoint does not say on how many points it was trained; was it written by vastmax train?`,
    );
  }
  const texts = readTexts(saved, createSubword);
  const classes = Number(saved.module('sizes').configuration['classes']);
  const areNames = texts !== undefined || isDenseClassifier(configuration);
  return { labels: readLabels(saved, classes, areNames), examples: points, texts };
}

/**
 * A classifier of vectors of a checkpoint, with its weights.
 * @throws ModelError `state-mismatch`, CheckpointError `bad-json`; as loadNetwork.
 */
export async function loadDenseClassifier(backend: Backend, saved: SavedClassifier): Promise<DenseClassifier> {
  const parts = readClassifierParts(saved, () => {
    throw new ModelError('state-mismatch', `${saved.location}: vectors have no tokenizer`);
  });
  return new Classifier(await loadNetwork(backend, saved, { kind: 'dense' }), parts);
}

/** A classifier of a checkpoint, with its weights. Throws as readClassifierParts and loadNetwork. */
export async function loadClassifier(
  backend: Backend,
  saved: SavedClassifier,
  createSubword: CreateSubword,
): Promise<Classifier> {
  const parts = readClassifierParts(saved, createSubword);
  const network = await loadNetwork(backend, saved, { kind: 'bag' });
  const { labels, texts } = parts;
  const columns = texts?.features.columns ?? network.sizes.inputs;
  if (labels.length === network.output.classes && columns === network.sizes.inputs)
    return new Classifier(network, parts);
  network[Symbol.dispose]();
  throw new ModelError(
    'state-mismatch',
    `${saved.location}: the network has ${network.sizes.inputs} features and ${network.output.classes} classes, the texts of the checkpoint name ${columns} and ${labels.length}`,
  );
}

function readTexts(saved: SavedClassifier, createSubword: CreateSubword): ClassifierTexts | undefined {
  const { textFeatures } = saved.configuration;
  if (textFeatures === undefined) return undefined;
  const settings = isObject(textFeatures) ? textFeatures : {};
  checkFields('textFeatures', settings, {
    wordNgrams: whole,
    minChars: whole,
    maxChars: whole,
    buckets: whole,
    labelPrefix: text,
  });
  const { wordNgrams, minChars, maxChars, buckets, labelPrefix } = settings as unknown as NgramSettings & {
    readonly labelPrefix: string;
  };
  const ngrams = { wordNgrams, minChars, maxChars, buckets };
  try {
    checkNgramSettings('textFeatures', ngrams);
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    throw new ModelError('state-mismatch', `the checkpoint's configuration: ${error.message}`);
  }
  return createClassifierTexts(loadTextReading(saved, createSubword), readVocabulary(saved), {
    ...ngrams,
    labelPrefix,
  });
}

/** @param areNames whether labels are texts, else numbers below D. */
function readLabels(saved: SavedClassifier, classes: number, areNames: boolean): ArrayLike<LabelName> {
  const content = saved.text(labelsText);
  const refuse = (cause?: unknown): never => {
    throw new CheckpointError(
      'bad-json',
      `${saved.location}: ${labelsText} is no list of the ${classes} labels; was it written by vastmax train?`,
      { cause },
    );
  };
  const labels = parseJson(content, { depth: 1, values: classes + 1 }, (_, cause) => refuse(cause));
  if (!Array.isArray(labels) || labels.length !== classes || new Set(labels).size !== classes) return refuse();
  const fits = areNames
    ? (label: unknown): boolean => typeof label === 'string'
    : (label: unknown): boolean => Number.isSafeInteger(label) && Number(label) >= 0 && Number(label) < classes;
  if (!labels.every(fits)) return refuse();
  return areNames ? (labels as string[]) : Int32Array.from(labels as number[]);
}
