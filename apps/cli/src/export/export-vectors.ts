/** `export` of the vectors of all words, items or labels, for programs that compare them. */
import { basename, dirname } from 'node:path';
import { writeSafetensors, type FileDigest } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { tableTensor, type TensorSource } from '@vastmax/linalg-core/state';
import type { VectorKind } from '@vastmax/lm-models';
import { wordVectorTensor, type Classifier, type DenseClassifier } from '@vastmax/lm-models/labels';
import { classVectorTensor, writeWord2vec } from '@vastmax/lm-models/node';
import type { RecommenderNetwork } from '@vastmax/lm-models/recommenders';
import type { TextModel } from '@vastmax/lm-models/text';
import type { Vocabulary } from '@vastmax/sparse-data';
import type { BackendOptions } from '../options/backend-choice.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { checkOutputFile } from '../terminal/output-file.ts';
import { bytes, count, Progress } from '../terminal/terminal.ts';
import { openAnyModel, ownerOf } from '../text/open-model.ts';

/** The formats of vectors. */
export const vectorFormats = ['word2vec-text', 'word2vec-binary', 'safetensors'] as const;
type VectorFormat = (typeof vectorFormats)[number];

export interface ExportVectorsOptions extends BackendOptions {
  readonly output: string;
  readonly format: VectorFormat;
  readonly vectors: VectorKind;
  readonly half?: true;
  readonly overwrite?: true;
  readonly json?: true;
}

export async function exportVectors(directory: string, options: ExportVectorsOptions): Promise<void> {
  const { output, vectors: kind, format } = options;
  if (options.half === true && format === 'word2vec-binary')
    throw new UsageError(
      '--half is no option of word2vec-binary, which stores 32 bits; use word2vec-text or safetensors',
    );
  await checkOutputFile(output, options.overwrite === true);
  using interruption = new Interruption();
  const opened = await openAnyModel(options, directory);
  using owned = ownerOf(opened);
  const { vectors, names } =
    'dense' in opened
      ? vectorsOfLabels(opened.dense, directory, kind)
      : 'classifier' in opened
        ? vectorsOfClassifier(opened.classifier, directory, kind)
        : 'recommender' in opened
          ? vectorsOf({ network: opened.recommender.network, vocabulary: opened.recommender.items }, kind)
          : vectorsOf(opened.model, kind);
  void owned;
  const { bytes: written } = await writeVectors(names, vectors, format, options, interruption.signal);
  const { rows, columns } = vectors;
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ output, format, vectors: kind, words: rows, width: columns, half: options.half === true, bytes: written })}\n`,
    );
    return;
  }
  process.stdout.write(
    `exported     ${count(rows)} ${kind} vectors of ${columns}${options.half === true ? ', 16 bits,' : ''} as ${format}, ${bytes(written)}\n`,
  );
  process.stdout.write(`saved        ${output}\n`);
}

interface NamedVectors {
  readonly vectors: TensorSource;
  /** Of each row. */
  readonly names: readonly string[];
}

function vectorsOf(
  {
    network,
    vocabulary,
  }: { readonly network: TextModel['network'] | RecommenderNetwork; readonly vocabulary: Vocabulary },
  kind: VectorKind,
): NamedVectors {
  const vectors =
    kind === 'output'
      ? classVectorTensor('output_vectors', network.output)
      : tableTensor('input_embeddings', network.body.embeddings.table);
  return { vectors, names: vocabulary.tokens };
}

/** @throws UsageError for the vectors that a classifier was given. */
function vectorsOfLabels({ network, labels }: DenseClassifier, directory: string, kind: VectorKind): NamedVectors {
  if (kind === 'output')
    return { vectors: classVectorTensor('label_vectors', network.output), names: Array.from(labels, String) };
  throw new UsageError(
    `${directory} holds a classifier of vectors, which has none of words; --vectors output writes those of its labels`,
  );
}

/** @throws UsageError for the features of points, which have no names. */
function vectorsOfClassifier(
  { network, labels, texts }: Classifier,
  directory: string,
  kind: VectorKind,
): NamedVectors {
  if (kind === 'output')
    return { vectors: classVectorTensor('label_vectors', network.output), names: Array.from(labels, String) };
  if (texts !== undefined)
    return { vectors: wordVectorTensor({ network, texts }), names: texts.features.vocabulary.tokens };
  throw new UsageError(
    `${directory} holds a classifier of points, which has no words; --vectors output writes the vectors of its labels`,
  );
}

async function writeVectors(
  names: readonly string[],
  vectors: TensorSource,
  format: VectorFormat,
  options: ExportVectorsOptions,
  signal: AbortSignal,
): Promise<FileDigest> {
  using progress = new Progress('exporting');
  const half = options.half === true;
  const onProgress = (done: number, total: number): void => {
    progress.update(done / total, []);
  };
  if (format === 'safetensors') {
    return writeSafetensors(createFileStorage(dirname(options.output)), basename(options.output), [vectors], {
      half,
      signal,
      onProgress,
      metadata: { producer: 'vastmax', vectors: options.vectors },
    });
  }
  return writeWord2vec(options.output, names, vectors, {
    format: format === 'word2vec-text' ? 'text' : 'binary',
    half,
    signal,
    onProgress,
  });
}
