import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { openCheckpoint, writeCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { quantizationMethods, quantizeNetwork, type QuantizationMethod } from '@vastmax/lm-models/quantization';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { wholeNumber } from '../options/option-values.ts';
import { checkOutputFolder, lockOutputFolder } from '../run/run-folder.ts';
import { UsageError } from '../terminal/errors.ts';
import { Interruption } from '../terminal/interruption.ts';
import { bytes, count, Progress, table } from '../terminal/terminal.ts';
import { loadAnyModel } from '../text/open-model.ts';

interface QuantizeOptions extends BackendOptions {
  readonly out: string;
  readonly method: QuantizationMethod;
  readonly partWidth?: number;
  readonly seed: number;
  readonly overwrite?: true;
  readonly json?: true;
}

export function addQuantizeCommand(program: Command): void {
  const command = program
    .command('quantize')
    .description('write a trained model with its large tables as codes of one byte, for prediction')
    .argument('<model>', 'folder of a trained model')
    .requiredOption('-o, --out <folder>', 'where the smaller model goes')
    .addOption(
      new Option(
        '--method <name>',
        '8-bit: every number rounded, a quarter of the size; product: parts of a row replaced by centroids, smaller',
      )
        .choices(quantizationMethods)
        .default('8-bit'),
    )
    .option('--part-width <n>', 'product: numbers in a part of a row (default: 2)', wholeNumber('--part-width', 1, 256))
    .option('--seed <n>', 'product: random seed of the centroids', wholeNumber('--seed', 0), 1)
    .option('--overwrite', 'replace the model that --out holds')
    .option('--json', 'print one JSON object');
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ vastmax quantize models/wiki -o models/wiki-8-bit
  $ vastmax quantize models/bibtex -o models/bibtex-small --method product --part-width 4
  $ vastmax evaluate models/bibtex-small bibtex_test.txt

The result predicts, ranks and is evaluated as any model; compare its figures
with those of the model that it was made of. It is smaller on the disk, not in
memory, and training does not go on from it.`,
    )
    .action(quantize);
}

async function quantize(directory: string, options: QuantizeOptions, command: Command): Promise<void> {
  const { out, method, partWidth, seed } = options;
  if (partWidth !== undefined && method !== 'product')
    command.error('error: --part-width is an option of --method product; leave it out or add that');
  if (resolve(out) === resolve(directory))
    throw new UsageError(`--out ${out} is the model itself, which training may go on from; give another folder`);
  using interruption = new Interruption();
  const { signal } = interruption;
  await using lock = await lockOutputFolder(out);
  void lock;
  await checkOutputFolder(out, { overwrite: options.overwrite === true, otherwise: 'or give another folder' });
  await using original = await openCheckpoint(createFileStorage(directory));
  const opened = await loadAnyModel(options, original);
  using owned = 'dense' in opened ? opened.dense : 'classifier' in opened ? opened.classifier : opened.model;
  const quantized = await withProgress((onProgress) =>
    quantizeNetwork(owned.network, {
      method,
      seed,
      signal,
      onProgress,
      ...(partWidth === undefined ? {} : { partWidth }),
    }),
  );
  const storage = createFileStorage(out);
  await writeCheckpoint(
    storage,
    {
      configuration: { ...original.configuration, quantization: method },
      modules: quantized.modules,
      texts: Object.fromEntries(original.textNames.map((name) => [name, original.text(name)])),
    },
    { signal },
  );
  await using written = await openCheckpoint(storage);
  const { tables } = quantized;
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ out, method, bytesBefore: original.bytes, bytes: written.bytes, tables })}\n`,
    );
    return;
  }
  const rows = tables.map(({ module, name, rows: height, columns, bytesBefore, bytesAfter }) => [
    `${module}/${name}`,
    `${count(height)}×${columns}`,
    bytes(bytesBefore),
    bytes(bytesAfter),
  ]);
  process.stdout.write(`${table([['table', 'shape', 'before', 'after'], ...rows])}\n\n`);
  process.stdout.write(
    `quantized    ${method}, ${bytes(original.bytes)} with what training needs → ${bytes(written.bytes)}\n`,
  );
  process.stdout.write(`saved        ${out}\n`);
}

async function withProgress<Result>(
  work: (onProgress: (rows: number, total: number) => void) => Promise<Result>,
): Promise<Result> {
  using progress = new Progress('quantizing');
  return await work((rows, total) => {
    progress.update(rows / total, [`${count(rows)} rows`]);
  });
}
