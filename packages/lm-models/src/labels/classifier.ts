/**
 * A classifier: a network whose classes are labels, over bags of features or over vectors that another encoder has made.
 * The features of bags are given, as those of a file of points, or made from texts as fastText makes them: words, word
 * n-grams and character n-grams. Everything but where the features come from is the same for all.
 */
import type { CsrRows, Vocabulary } from '@vastmax/sparse-data';
import { targetsOfTexts, TextFeatures, type LabelledTexts, type NgramSettings } from '@vastmax/sparse-data/records';
import type { BagNetwork, DenseNetwork } from '../network/network-options.ts';
import type { TextReading } from '../text/text-reading.ts';

/** A label: its text, or its number in a file of points. */
export type LabelName = string | number;

/** How texts become bags of features. */
export interface ClassifierTexts {
  /** The tokenizer, and what a checkpoint keeps of it. */
  readonly reading: TextReading;
  /** The words, and the buckets of n-grams. */
  readonly features: TextFeatures;
  /** How the labels of a line of fastText begin. */
  readonly labelPrefix: string;
}

/** @param vocabulary the words that are features. */
export function createClassifierTexts(
  reading: TextReading,
  vocabulary: Vocabulary,
  { labelPrefix, ...ngrams }: NgramSettings & { readonly labelPrefix: string },
): ClassifierTexts {
  return { reading, features: new TextFeatures(vocabulary, ngrams), labelPrefix };
}

/** For `LabelledTexts`: words between white space, without change of case, are read from bytes. */
export function tokenizeOf({ settings, tokenize }: TextReading): Pick<TextReading, 'tokenize'> | Record<string, never> {
  return settings.tokenizer === 'whitespace' && settings.letterCase === 'keep' ? {} : { tokenize };
}

/** Examples of a classifier: a row of each for an example. */
export interface LabelledRows {
  /** Examples×features. */
  readonly inputs: CsrRows;
  /** Examples×classes. */
  readonly targets: CsrRows;
}

/** What a saved classifier needs beside its network. */
export interface ClassifierParts {
  /** The label of each class, the most frequent one first. */
  readonly labels: ArrayLike<LabelName>;
  /** On how many examples it was trained. */
  readonly examples: number;
  /** How its features are made of texts; undefined for given features. */
  readonly texts?: ClassifierTexts | undefined;
}

/** The networks that a classifier may have. */
export type LabelNetwork = BagNetwork | DenseNetwork;

/** A classifier of vectors. */
export type DenseClassifier = Classifier<DenseNetwork>;

/** A classifier disposes its network. */
export class Classifier<OwnNetwork extends LabelNetwork = BagNetwork> implements Disposable {
  readonly network: OwnNetwork;
  readonly labels: ArrayLike<LabelName>;
  readonly examples: number;
  readonly texts: ClassifierTexts | undefined;
  #classes: ReadonlyMap<string, number> | undefined;

  constructor(network: OwnNetwork, { labels, examples, texts }: ClassifierParts) {
    this.network = network;
    this.labels = labels;
    this.examples = examples;
    this.texts = texts;
  }

  /** How many features there are. */
  get features(): number {
    return this.network.sizes.inputs;
  }

  /** The class of each label, by its text. O(D), once. */
  get classes(): ReadonlyMap<string, number> {
    this.#classes ??= classesOf(this.labels);
    return this.#classes;
  }

  [Symbol.dispose](): void {
    this.network[Symbol.dispose]();
  }
}

/** The class of each label, by its text. O(D). */
export function classesOf(labels: ArrayLike<LabelName>): ReadonlyMap<string, number> {
  const classes = new Map<string, number>();
  for (let index = 0; index < labels.length; index++) classes.set(String(labels[index]), index);
  return classes;
}

/** Texts as examples; words and labels that the classifier does not know are left out. O(words). */
export function encodeLabelledTexts(
  { features }: ClassifierTexts,
  classes: ReadonlyMap<string, number>,
  texts: LabelledTexts,
): LabelledRows {
  return { inputs: features.encode(texts), targets: targetsOfTexts(texts, classes) };
}
