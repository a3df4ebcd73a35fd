import { Option, type Command } from 'commander';
import { evaluateRanking, unigramBaseline } from '@vastmax/lm-models';
import { backendNames, createBackend } from '../backend-choice.ts';
import { encodeFile } from '../corpus.ts';
import { count, metricsTable } from '../display.ts';
import { collectTargets, evaluationBatches } from '../evaluation-batches.ts';
import { Interruption } from '../interruption.ts';
import { Progress } from '../progress.ts';
import { openModel } from '../saved-model.ts';
import { wholeNumber } from '../usage-error.ts';

interface EvaluateOptions {
  readonly limit: number;
  readonly backend: string;
  readonly precision: string;
  readonly json: boolean;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('rank the words of a text with a trained model: top-k accuracy, mean reciprocal rank, perplexity')
    .argument('<model>', 'folder of a trained model')
    .argument('<text>', 'text to evaluate on, read as the training text was')
    .option('--limit <n>', 'rank so many words, a fixed random sample; 0 for all', wholeNumber('--limit', 0), 20_000)
    .option('--json', 'print one JSON object', false)
    .addOption(new Option('--backend <name>', 'what computes').choices(backendNames).default('auto'))
    .addOption(new Option('--precision <p>', 'of stored numbers').choices(['f32', 'f64']).default('f32'))
    .addHelpText('after', `
Example:
  $ vastmax evaluate models/wiki wiki.valid.tokens.br --limit 0

Ranks are exact over the whole vocabulary, so the time grows with its size. Beside the model stands the unigram baseline, which
predicts every word by its frequency in the training text.`)
    .action(evaluate);
}

async function evaluate(directory: string, textFile: string, options: EvaluateOptions): Promise<void> {
  using interruption = new Interruption();
  const { signal } = interruption;
  const backend = createBackend(options.backend, options.precision);
  const opened = await openModel(backend, directory);
  using model = opened.model;
  const tokens = await encodeFile(textFile, model.vocabulary, opened.text, signal);
  using progress = new Progress('evaluating');
  const limit = options.limit === 0 ? Infinity : options.limit;
  const metrics = await evaluateRanking(model, evaluationBatches(model, tokens, opened.text), {
    limit,
    signal,
    onProgress: (done, total) => { progress.update(done / total, `${count(done)} words`); },
  });
  const baseline = unigramBaseline(model.vocabulary, collectTargets(evaluationBatches(model, tokens, opened.text), limit));
  progress[Symbol.dispose]();
  if (options.json) process.stdout.write(`${JSON.stringify({ model: metrics, unigram: baseline })}\n`);
  else process.stdout.write(`${count(metrics.examples)} words of ${textFile}:\n${metricsTable([['model', metrics], ['unigram', baseline]])}\n`);
}
