/** `export --format onnx`. */
import { basename, dirname } from 'node:path';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { exportOnnx, type ExportOnnxOptions } from '@vastmax/onnx';
import type { BackendOptions } from '../options/backend-choice.ts';
import { Interruption } from '../terminal/interruption.ts';
import { checkOutputFile } from '../terminal/output-file.ts';
import { bytes, count, Progress } from '../terminal/terminal.ts';
import { openAnyModel, ownerOf, type AnyOpenedModel } from '../text/open-model.ts';

export interface ExportOnnxModelOptions extends BackendOptions {
  readonly output: string;
  readonly top: number;
  readonly overwrite?: true;
  readonly json?: true;
}

export async function exportOnnxModel(directory: string, options: ExportOnnxModelOptions): Promise<void> {
  const { output, top } = options;
  for (const file of [output, `${output}.json`, `${output}.data`])
    await checkOutputFile(file, options.overwrite === true);
  using interruption = new Interruption();
  const opened = await openAnyModel(options, directory);
  using owned = ownerOf(opened);
  using progress = new Progress('exporting');
  const { files, inputs, outputs, opset } = await exportOnnx(
    owned.network,
    createFileStorage(dirname(output)),
    basename(output),
    {
      top,
      ...namesOf(opened),
      signal: interruption.signal,
      onProgress: (done, total) => {
        progress.update(done / total, []);
      },
    },
  );
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ output, format: 'onnx', opset, inputs, outputs, files })}\n`);
    return;
  }
  const { classes } = owned.network.output;
  process.stdout.write(`exported     scores of ${count(classes)} classes as onnx, operator set ${opset}\n`);
  for (const [role, values] of [
    ['input', inputs],
    ['output', outputs],
  ] as const)
    for (const { name, type, shape, description } of values)
      process.stdout.write(`${role.padEnd(12)} ${name}, ${type} ${shape.join('×')}: ${description}\n`);
  for (const file of files)
    process.stdout.write(
      `saved        ${dirname(output) === '.' ? '' : `${dirname(output)}/`}${file.name}, ${bytes(file.bytes)}\n`,
    );
}

/** The names of classes and inputs, and how text becomes inputs. */
function namesOf(opened: AnyOpenedModel): Pick<ExportOnnxOptions, 'classNames' | 'inputNames' | 'text'> {
  if ('dense' in opened) return { classNames: opened.dense.labels };
  if ('recommender' in opened) return { classNames: opened.recommender.items.tokens };
  if ('model' in opened) return { classNames: opened.model.vocabulary.tokens, text: { ...opened.text.settings } };
  const { labels, texts } = opened.classifier;
  if (texts === undefined) return { classNames: labels };
  const { reading, features } = texts;
  return {
    classNames: labels,
    inputNames: features.vocabulary.tokens,
    text: { ...reading.settings, ...features.ngrams },
  };
}
