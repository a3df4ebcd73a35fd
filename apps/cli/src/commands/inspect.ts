import type { Command } from 'commander';
import { openCheckpoint, readVocabulary } from '@vastmax/lm-models/node';
import { bytes, count, table } from '../display.ts';

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('what a checkpoint holds; verifies its checksums')
    .argument('<model>', 'folder of a trained model')
    .option('--json', 'print one JSON object')
    .addHelpText('after', `
Example:
  $ vastmax inspect models/state-of-the-union

The tensors are in the safetensors format, which other programs read too.`)
    .action(inspect);
}

async function inspect(directory: string, options: { readonly json?: true }): Promise<void> {
  await using checkpoint = await openCheckpoint(directory);
  const { configuration } = checkpoint;
  const tensors = checkpoint.moduleNames.flatMap((module) =>
    checkpoint.module(module).tensors.map(({ name, precision, rows, columns }) => ({ module, name, precision, rows, columns })),
  );
  const vocabulary = readVocabulary(checkpoint);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ directory, bytes: checkpoint.bytes, words: vocabulary.size, configuration, tensors })}\n`);
    return;
  }
  process.stdout.write(`${directory}: ${bytes(checkpoint.bytes)}, checksums verified\n`);
  process.stdout.write(`step ${count(Number(configuration['step']))}, ${count(Number(configuration['examples']))} examples, vocabulary of ${count(vocabulary.size)} words\n\n`);
  process.stdout.write(`${table([['tensor', 'type', 'shape'], ...tensors.map((tensor) => [`${tensor.module}/${tensor.name}`, tensor.precision, `${tensor.rows}×${tensor.columns}`])])}\n\n`);
  process.stdout.write(`${JSON.stringify(configuration, null, 2)}\n`);
}
