import { basename, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { VectorKind } from '@vastmax/lm-models';
import { exportHuggingFace } from '../export/export-hugging-face.ts';
import { exportOnnxModel } from '../export/export-onnx.ts';
import { exportVectors, vectorFormats } from '../export/export-vectors.ts';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { wholeNumber } from '../options/option-values.ts';
import { UsageError } from '../terminal/errors.ts';
import { ignoreBrokenPipe } from '../terminal/standard-output.ts';

const formats = [...vectorFormats, 'onnx', 'huggingface'] as const;
type Format = (typeof formats)[number];
/** The format by the extension of the file, when `--format` is not given. */
const formatsOfExtensions: Readonly<Record<string, Format>> = {
  txt: 'word2vec-text',
  vec: 'word2vec-text',
  bin: 'word2vec-binary',
  safetensors: 'safetensors',
  onnx: 'onnx',
};

interface ExportOptions extends BackendOptions {
  readonly output?: string;
  readonly format?: Format;
  readonly vectors: VectorKind;
  readonly half?: true;
  readonly top: number;
  readonly license?: string;
  readonly metrics?: string;
  readonly overwrite?: true;
  readonly json?: true;
}

export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description(
      'write a model for other programs: the vectors of its words or labels, an ONNX model, a Hugging Face folder',
    )
    .argument('<model>', 'folder of a trained model')
    .option('-o, --output <file>', 'the file to write, for huggingface the folder (default for onnx: MODEL.onnx)')
    .addOption(
      new Option(
        '--format <name>',
        'word2vec-text (.txt, .vec), word2vec-binary (.bin) or safetensors of vectors, onnx (.onnx), or huggingface; from the extension of --output unless given',
      ).choices(formats),
    )
    .addOption(
      new Option(
        '--vectors <kind>',
        "of vectors: the output layer's vectors of the words (of a classifier, of the labels), or the embeddings of the input",
      )
        .choices(['output', 'input'])
        .default('output'),
    )
    .option('--half', 'of vectors: numbers of 16 bits (safetensors, word2vec-text)')
    .option('-k, --top <n>', 'onnx: how many best classes the model gives', wholeNumber('--top', 1), 10)
    .option('--license <name>', 'huggingface: licence of the model, as the hub calls it (mit, apache-2.0, cc-by-4.0)')
    .option('--metrics <file>', 'huggingface: what vastmax evaluate --json has printed, for the model card')
    .option('--overwrite', 'replace the file or the folder if it exists')
    .option('--json', 'print one JSON object');
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax export models/wiki -o wiki.txt
  $ vastmax export models/wiki -o wiki.safetensors --vectors input --half
  $ vastmax export models/topics -o labels.txt
  $ vastmax export models/topics -o words.vec --vectors input
  $ vastmax export models/topics --format onnx -k 5
  $ vastmax evaluate models/topics held-out.txt --json > metrics.json
  $ vastmax export models/topics --format huggingface -o topics --license mit \\
      --metrics metrics.json

gensim and most programs for word vectors read word2vec. A safetensors file
has the numbers as one tensor and no words: row i is word i of the model's
vocabulary-....json. Biases of the output layer are left out.

An ONNX model (operator set 17, 32-bit floats) has the body, the scores of all
classes and the best of them; MODEL.onnx.json beside it says what its inputs
and outputs are and has the names of the classes. From 2 GiB on the weights are
in MODEL.onnx.data. A Huffman tree cannot be exported.

A Hugging Face folder has a model card, config.json, model.safetensors and the
vocabulary; every command here reads it as the model that it is. What only
training needs is left out. Of a recommender it has the histories of the users,
without which it answers nothing.`,
    )
    .action(exportModel);
}

async function exportModel(directory: string, options: ExportOptions, command: Command): Promise<void> {
  ignoreBrokenPipe();
  const format = options.format ?? formatOf(options.output);
  const given = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const only = (formatsOfOption: string, name: string): void => {
    if (given(name)) throw new UsageError(`--${name} is of ${formatsOfOption}, not of ${format}; leave it out`);
  };
  if (format !== 'onnx') only('--format onnx', 'top');
  if (format !== 'huggingface') for (const name of ['license', 'metrics']) only('--format huggingface', name);
  if (format === 'onnx' || format === 'huggingface') for (const name of ['vectors', 'half']) only('vectors', name);
  const output = options.output ?? (format === 'onnx' ? `${basename(resolve(directory))}.onnx` : undefined);
  if (output === undefined) throw new UsageError(`--format ${format} needs a name: give it with --output`);
  if (format === 'onnx') await exportOnnxModel(directory, { ...options, output });
  else if (format === 'huggingface') await exportHuggingFace(directory, { ...options, output });
  else await exportVectors(directory, { ...options, output, format });
}

function formatOf(output: string | undefined): Format {
  const known = Object.keys(formatsOfExtensions)
    .map((each) => `.${each}`)
    .join(', ');
  if (output === undefined) throw new UsageError(`give the file with --output (${known}), or a --format`);
  const extension = /\.([a-z0-9]+)$/i.exec(output)?.[1]?.toLowerCase() ?? '';
  const format = Object.hasOwn(formatsOfExtensions, extension) ? formatsOfExtensions[extension] : undefined;
  if (format === undefined)
    throw new UsageError(`--output ${output} ends in none of ${known}; choose the format with --format`);
  return format;
}
