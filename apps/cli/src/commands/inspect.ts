import type { Command } from 'commander';
import { openCheckpoint } from '@vastmax/checkpoints';
import { createFileStorage } from '@vastmax/checkpoints/node';
import { readVocabulary } from '@vastmax/lm-models/text';
import { isClassifier } from '@vastmax/lm-models/labels';
import { recommenderNameOf } from '@vastmax/lm-models/recommenders';
import { bytes, count, table } from '../terminal/terminal.ts';

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('what a checkpoint holds; verifies its checksums')
    .argument('<model>', 'folder of a trained model')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Example:
  $ vastmax inspect models/state-of-the-union

The tensors are in the safetensors format, which other programs read too.`,
    )
    .action(inspect);
}

async function inspect(directory: string, options: { readonly json?: true }): Promise<void> {
  await using checkpoint = await openCheckpoint(createFileStorage(directory));
  const { configuration } = checkpoint;
  const tensors = checkpoint.moduleNames.flatMap((module) =>
    checkpoint
      .module(module)
      .tensors.map(({ name, precision, rows, columns }) => ({ module, name, precision, rows, columns })),
  );
  const hasLabels = isClassifier(configuration);
  const hasItems = recommenderNameOf(configuration) !== undefined;
  const hasWords = !hasItems && (!hasLabels || configuration['textFeatures'] !== undefined);
  const classes = {
    ...(hasItems
      ? { items: readVocabulary(checkpoint).size, users: Number(checkpoint.module('histories').configuration['rows']) }
      : {}),
    ...(hasLabels ? { labels: Number(checkpoint.module('sizes').configuration['classes']) } : {}),
    ...(hasWords ? { words: readVocabulary(checkpoint).size } : {}),
  };
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ directory, bytes: checkpoint.bytes, ...classes, configuration, tensors })}\n`,
    );
    return;
  }
  process.stdout.write(`${directory}: ${bytes(checkpoint.bytes)}, checksums verified\n`);
  process.stdout.write(
    `step ${count(Number(configuration['step']))}, ${count(Number(configuration['examples']))} examples, ${describeClasses(classes)}\n\n`,
  );
  process.stdout.write(
    `${table([['tensor', 'type', 'shape'], ...tensors.map((tensor) => [`${tensor.module}/${tensor.name}`, tensor.precision, `${tensor.rows}×${tensor.columns}`])])}\n\n`,
  );
  process.stdout.write(`${JSON.stringify(configuration, null, 2)}\n`);
}

interface ClassCounts {
  readonly labels?: number;
  readonly words?: number;
  readonly items?: number;
  readonly users?: number;
}

function describeClasses({ labels, words, items, users }: ClassCounts): string {
  if (items !== undefined) return `${count(items)} items, ${count(users ?? 0)} users`;
  if (labels === undefined) return `vocabulary of ${count(words ?? 0)} words`;
  return `${count(labels)} labels${words === undefined ? '' : ` of texts with ${count(words)} different words`}`;
}
