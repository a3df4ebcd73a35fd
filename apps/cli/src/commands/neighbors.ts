import { Option, type Command } from 'commander';
import { computeNeighbors } from '@vastmax/lm-models';
import { inLetterCase } from '@vastmax/lm-models/text';
import { addBackendOptions, type BackendOptions } from '../options/backend-choice.ts';
import { wholeNumber } from '../options/option-values.ts';
import { UsageError } from '../terminal/errors.ts';
import { openModel } from '../text/open-model.ts';

interface NeighborsOptions extends BackendOptions {
  readonly top: number;
  readonly vectors: 'output' | 'input';
  readonly json?: true;
}

export function addNeighborsCommand(program: Command): void {
  const command = program
    .command('neighbors')
    .description('the words whose vectors are nearest to those of given words')
    .argument('<model>', 'folder of a trained model')
    .argument('<words...>', 'words of the vocabulary')
    .option('-k, --top <n>', 'how many neighbours of each', wholeNumber('--top', 1), 8)
    .addOption(
      new Option('--vectors <kind>', "the output layer's vectors of the words, or the embeddings of the input")
        .choices(['output', 'input'])
        .default('output'),
    )
    .option('--json', 'print one JSON object');
  addBackendOptions(command)
    .addHelpText(
      'after',
      `
Example:
  $ vastmax neighbors models/state-of-the-union war peace congress

Nearness is the cosine of the angle between two vectors.`,
    )
    .action(neighbors);
}

async function neighbors(directory: string, words: readonly string[], options: NeighborsOptions): Promise<void> {
  const { model, text } = await openModel(options, directory);
  using owned = model;
  const probes = words.map((word) => inLetterCase(text.settings, word));
  const unknown = probes.filter((word) => !owned.vocabulary.has(word));
  if (unknown.length > 0) throw new UsageError(`not in the vocabulary of ${directory}: ${unknown.join(', ')}`);
  const lists = await computeNeighbors(owned.network, owned.vocabulary, probes, {
    k: options.top,
    kind: options.vectors,
  });
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(Object.fromEntries(probes.map((word, index) => [word, lists[index]])))}\n`);
    return;
  }
  for (const [index, word] of probes.entries()) {
    const list = lists[index] ?? [];
    process.stdout.write(
      `${word}: ${list.map((neighbor) => `${neighbor.word} ${neighbor.similarity.toFixed(2)}`).join(', ')}\n`,
    );
  }
}
