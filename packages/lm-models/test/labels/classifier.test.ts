import { createMemoryStorage, openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { createPlainBackend, read, readRows } from '@vastmax/linalg-core';
import { bagModelShape, createNetwork } from '@vastmax/lm-models';
import {
  Classifier,
  classesOf,
  classifierContent,
  createClassifierTexts,
  encodeLabelledTexts,
  isClassifier,
  isDenseClassifier,
  loadClassifier,
  loadDenseClassifier,
  nearestLabels,
  nearestWords,
  predictClasses,
  tokenizeOf,
  wordVectorTensor,
} from '@vastmax/lm-models/labels';
import { createTextReading } from '@vastmax/lm-models/text';
import { columnCounts } from '@vastmax/sparse-data';
import { buildTextVocabulary, labelsByFrequency, LabelledTexts } from '@vastmax/sparse-data/records';
import { describe, expect, it } from 'vitest';

const reading = createTextReading({ tokenizer: 'words', letterCase: 'lower', endOfLine: '</s>', unknown: '<unk>' });

async function createClassifier(maxChars = 3): Promise<{ classifier: Classifier; texts: LabelledTexts }> {
  const texts = new LabelledTexts({ ...tokenizeOf(reading), labelPrefix: '#' });
  texts.addLines(new TextEncoder().encode('#x The cat. #y\n#y a dog\n#y the dog!\n'));
  const classifierTexts = createClassifierTexts(reading, buildTextVocabulary(texts.words), {
    wordNgrams: 2,
    minChars: Math.min(2, maxChars),
    maxChars,
    buckets: 50,
    labelPrefix: '#',
  });
  const labels = labelsByFrequency(texts.labels);
  const { inputs, targets } = encodeLabelledTexts(classifierTexts, classesOf(labels), texts);
  const network = await createNetwork(
    createPlainBackend(),
    { inputs: inputs.columns, frequencies: columnCounts(targets) },
    {
      body: { kind: 'bag', ...bagModelShape('text-classifier'), embedding: 4 },
      output: { kind: 'full', initialScale: 1, seed: 2 },
    },
  );
  return { classifier: new Classifier(network, { labels, examples: 3, texts: classifierTexts }), texts };
}

async function save(classifier: Classifier, change: Partial<ReturnType<typeof classifierContent>> = {}) {
  const storage = createMemoryStorage();
  const { configuration, texts } = { ...classifierContent(classifier), ...change };
  const model = { ...classifier.network.options } as never;
  await writeCheckpoint(storage, {
    configuration: { ...configuration, model },
    modules: classifier.network.modules(),
    texts,
  });
  return openCheckpoint(storage);
}
const noSubword = (): never => {
  throw new Error('no subword tokenizer');
};

describe('a classifier of texts', () => {
  it('is the same out of a checkpoint', async () => {
    const { classifier, texts } = await createClassifier();
    using saved = classifier;
    await using checkpoint = await save(saved);
    expect(isClassifier(checkpoint.configuration)).toBe(true);
    using loaded = await loadClassifier(createPlainBackend(), checkpoint, noSubword);
    expect(loaded.labels).toEqual(['y', 'x']);
    expect([loaded.examples, loaded.features, loaded.texts?.labelPrefix]).toEqual([3, saved.features, '#']);
    expect(loaded.texts?.features.vocabulary.toJSON()).toEqual(saved.texts?.features.vocabulary.toJSON());
    const predict = async ({ network, texts: own }: Classifier): Promise<unknown> => {
      if (own === undefined) throw new Error('no texts');
      const { inputs } = encodeLabelledTexts(own, classesOf(['y', 'x']), texts);
      return predictClasses(network.output, network.computeHidden({ inputs }), 2);
    };
    expect(await predict(loaded)).toEqual(await predict(saved));
    expect(loaded.texts?.reading.tokenize('The Cat')).toEqual(['the', 'cat']);
  });

  it.each<[string, object, string]>([
    ['labels.json', { texts: 'labels', value: '["x"]' }, 'labels.json is no list of the 2 labels'],
    ['labels.json', { texts: 'labels', value: '["x",1]' }, 'labels.json is no list of the 2 labels'],
    ['points', { configuration: { points: -1 } }, 'does not say on how many points it was trained'],
    ['buckets', { textFeatures: { buckets: 0 } }, 'buckets is 0; an integer in 1..'],
    ['buckets', { textFeatures: { buckets: 49 } }, 'texts of the checkpoint name'],
    ['labelPrefix', { textFeatures: { labelPrefix: 3 } }, 'textFeatures.labelPrefix is 3; a string is needed'],
  ])('with damaged %s is refused: %j', async (_part, damage, message) => {
    const { classifier } = await createClassifier();
    using saved = classifier;
    const content = classifierContent(saved);
    const { configuration = {}, textFeatures = {}, value } = damage as Record<string, never>;
    await using checkpoint = await save(saved, {
      configuration: {
        ...content.configuration,
        ...(configuration as object),
        textFeatures: { ...(content.configuration['textFeatures'] as object), ...(textFeatures as object) },
      },
      texts: value === undefined ? content.texts : { ...content.texts, 'labels.json': value },
    });
    await expect(loadClassifier(createPlainBackend(), checkpoint, noSubword)).rejects.toThrow(message);
  });

  it('has vectors of words with their n-grams, also of unknown words', async () => {
    const { classifier } = await createClassifier();
    using owned = classifier;
    const { network, texts } = owned;
    if (texts === undefined) throw new Error('no texts');
    const { vocabulary } = texts.features;
    const rows = await readRows(network.body.embeddings.table, 0, owned.features);
    const mean = (word: string): number[] => {
      const { indices } = texts.features.encodeWords([word]);
      return Array.from(
        { length: 4 },
        (_, i) => indices.reduce((sum, row) => sum + rows[4 * row + i]!, 0) / indices.length,
      );
    };
    const tensor = wordVectorTensor({ network, texts });
    expect([tensor.rows, tensor.columns]).toEqual([vocabulary.size, 4]);
    const values = await tensor.read(1, vocabulary.size - 1);
    vocabulary.tokens.slice(1).forEach((word, row) => {
      mean(word).forEach((value, i) => {
        expect(values[4 * row + i]).toBeCloseTo(value, 6);
      });
    });
    const cosine = (a: number[], b: number[]): number => {
      const dot = (x: number[], y: number[]): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
      return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    };
    for (const probe of ['dog', 'dogs']) {
      const expected = vocabulary.tokens
        .filter((word) => word !== probe)
        .map((word) => ({ word, similarity: cosine(mean(probe), mean(word)) }))
        .sort((a, b) => b.similarity - a.similarity);
      const [found = []] = await nearestWords({ network, texts }, [probe], 3);
      expect(found.map(({ word }) => word)).toEqual(expected.slice(0, 3).map(({ word }) => word));
      expect(found[0]?.similarity).toBeCloseTo(expected[0]?.similarity ?? 9, 6);
    }
  });

  it('has vectors of words and of labels without n-grams', async () => {
    const { classifier } = await createClassifier(0);
    using owned = classifier;
    const { network, texts } = owned;
    if (texts === undefined) throw new Error('no texts');
    const rows = await readRows(network.body.embeddings.table, 0, texts.features.vocabulary.size);
    const tensor = wordVectorTensor({ network, texts });
    expect([...(await tensor.read(0, tensor.rows))]).toEqual([...rows.subarray(0, 4 * tensor.rows)]);
    await expect(nearestWords({ network, texts }, ['dogs'], 1)).rejects.toThrow(
      "the word 'dogs' is not in the vocabulary",
    );
    using vectors = network.backend.createMatrix(2, 4);
    network.output.classVectors(0, vectors);
    const [a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0] = await read(vectors);
    const [[nearest] = []] = await nearestLabels(owned, ['x'], 5);
    expect(nearest?.word).toBe('y');
    const product = a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3;
    expect(nearest?.similarity).toBeCloseTo(product / (Math.hypot(a0, a1, a2, a3) * Math.hypot(b0, b1, b2, b3)), 6);
    await expect(nearestLabels(owned, ['z'], 1)).rejects.toThrow("'z' is none of the 2 labels");
  });
});

describe('a classifier of vectors', () => {
  it('comes back from a checkpoint with the names of its labels', async () => {
    const network = await createNetwork(
      createPlainBackend(),
      { inputs: 3, frequencies: Float64Array.of(5, 2) },
      { body: { kind: 'dense', inputScale: 2 }, output: { kind: 'full', initialScale: 1, seed: 2 } },
    );
    using classifier = new Classifier(network, { labels: ['7', 'seven'], examples: 7 });
    const { configuration, texts } = classifierContent(classifier);
    const storage = createMemoryStorage();
    await writeCheckpoint(storage, {
      configuration: { ...configuration, model: { ...network.options } as never },
      modules: network.modules(),
      texts,
    });
    await using saved = await openCheckpoint(storage);
    expect([isClassifier(saved.configuration), isDenseClassifier(saved.configuration)]).toEqual([true, true]);
    using loaded = await loadDenseClassifier(createPlainBackend(), saved);
    expect([loaded.labels, loaded.features, loaded.examples]).toEqual([['7', 'seven'], 3, 7]);
    const inputs = { rows: 1, columns: 3, values: Float32Array.of(1, 2, 3) };
    const scores = (each: typeof loaded): Promise<unknown> =>
      predictClasses(each.network.output, each.network.computeHidden({ inputs }), 2);
    expect(await scores(loaded)).toEqual(await scores(classifier));
    expect(await nearestLabels(loaded, ['seven'], 1)).toHaveLength(1);
  });
});
