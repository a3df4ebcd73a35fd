/** The tables of `bench jobs`: one part for each job. */
import { qualityTables } from '../quality/report.ts';
import { markdownTable } from '../reporting/markdown-table.ts';
import { grouped, missing } from '../reporting/numbers.ts';
import { machineLine } from '../reporting/print-report.ts';
import type { JobResult, JobsReport } from './measure.ts';
import type { MobyResult } from './moby.ts';
import type { GowallaResult } from './recommend/gowalla.ts';
import type { SportsResult } from './recommend/sports.ts';
import type { Trained } from './train-to-the-end.ts';
import type { WordsResult } from './words.ts';
import type { XmcResult, XmcRow } from './xmc.ts';

export function jobsTables({ machine, backend, seed, jobs, peakMemoryBytes }: JobsReport): string {
  return [
    machineLine(machine),
    `${backend.detail}; threads: ${backend.threads}. Seed ${seed}. Largest resident memory of the process ${(peakMemoryBytes / 1e9).toFixed(2)} GB.`,
    ...jobs.map(tablesOf),
  ].join('\n\n');
}

function tablesOf(result: JobResult): string {
  switch (result.job) {
    case 'moby':
      return mobyTables(result);
    case 'xmc':
      return xmcTables(result);
    case 'words':
      return wordsTables(result);
    case 'recurrent':
      return ['## Language models', ...result.reports.map(qualityTables)].join('\n\n');
    case 'gowalla':
      return gowallaTables(result);
    case 'sports':
      return sportsTables(result);
  }
}

function mobyTables({
  sets,
  words,
  pairs,
  hiddenShare,
  evaluatedSets,
  highestPrecisionAt10,
  settings,
  trained,
  rows,
}: MobyResult): string {
  const { embedding, epochs, batch, outputRate, bodyRate } = settings;
  return [
    '## Sets of synonyms',
    `${grouped(sets)} sets of ${grouped(pairs)} synonyms, D = ${grouped(words)}; ${100 * hiddenShare} % of each set hidden, ${evaluatedSets} sets completed, ` +
      `for which precision at 10 is at most ${highestPrecisionAt10.toFixed(3)}. The autoencoder: one layer of ${embedding}, squared error, ` +
      `Adam at ${bodyRate}, output rate ${outputRate}, minibatches of ${batch}, ${epochs} epochs${cut(trained, epochs * sets)}, ${trained.seconds.toFixed(0)} s.`,
    markdownTable(
      ['', 'precision at 1', 'at 5', 'at 10', 'recall at 10', 'nDCG at 10'],
      rows.map((row) => [
        row.name,
        ...[row.precisionAt1, row.precisionAt5, row.precisionAt10, row.recallAt10, row.ndcgAt10].map((value) =>
          value.toFixed(3),
        ),
      ]),
    ),
  ].join('\n\n');
}

function xmcTables({ settings, dataSets }: XmcResult): string {
  const { embedding, batch, bodyRate } = settings;
  return [
    '## Many labels',
    `One hidden layer of ${embedding} rectified units, dropout 0.2, Adam at ${bodyRate}, minibatches of ${batch}. The output rate is the best of those tried on ` +
      '15 % of the training points; then all of them are trained on. P@k is precision, PSP@k propensity-scored precision.',
    ...dataSets.flatMap(({ name, split, trainPoints, testPoints, features, labels, rows }) => [
      `### ${name}`,
      `${grouped(trainPoints)} training and ${grouped(testPoints)} test points (the split: ${split}), ${grouped(features)} features, ${grouped(labels)} labels, ` +
        `${settings.epochs[name as keyof typeof settings.epochs]} epochs.`,
      markdownTable(
        [
          'output layer',
          'rate',
          'P@1',
          'P@3',
          'P@5',
          'nDCG@3',
          'nDCG@5',
          'PSP@1',
          'PSP@3',
          'PSP@5',
          'seconds',
          'P@1 of each rate tried',
        ],
        rows.map(({ name: layer, outputRate, tried, trained, atK }) => [
          layer,
          outputRate === null ? '' : String(outputRate),
          ...(atK.length === 0 ? ['diverged', ...Array.from({ length: 7 }, () => missing)] : metricCells(atK)),
          trained === null ? '' : trained.seconds.toFixed(0),
          tried
            .map(
              (each) => `${each.outputRate}: ${each.precisionAt1 === null ? 'diverged' : each.precisionAt1.toFixed(3)}`,
            )
            .join(', '),
        ]),
      ),
    ]),
  ].join('\n\n');
}

/** nDCG at 1 is precision at 1. */
function metricCells(atK: XmcRow['atK']): string[] {
  return [
    atK.map(({ precision }) => precision),
    atK.slice(1).map(({ ndcg }) => ndcg),
    atK.map(({ propensityScoredPrecision }) => propensityScoredPrecision),
  ]
    .flat()
    .map((value) => value.toFixed(3));
}

function wordsTables({ corpus, settings, rows }: WordsResult): string {
  const files = rows[0]?.similarities ?? [];
  return [
    '## Word vectors',
    `${corpus.name}: ${grouped(corpus.tokens)} tokens, ${grouped(corpus.words)} words in lower case, ${grouped(corpus.afterSubsampling)} tokens after subsampling at ${settings.threshold}. ` +
      `Width ${settings.embedding}, ${settings.window} words on either side. ` +
      `Spearman's ρ of the cosines, over the covered pairs: ${files.map(({ file, covered, pairs, coverage }) => `${file} ${covered} of ${grouped(pairs)} (${(100 * coverage).toFixed(1)} %)`).join(', ')}.`,
    markdownTable(
      ['vectors', 'output layer', ...files.map(({ file }) => file), 'examples', 'seconds'],
      rows.map(({ name, layer, similarities, trained }) => [
        name,
        layer,
        ...(similarities.length === 0
          ? files.map(() => 'diverged')
          : similarities.map(({ correlation }) => (Number.isNaN(correlation) ? missing : correlation.toFixed(3)))),
        trained === null ? '' : grouped(trained.examples),
        trained === null ? '' : trained.seconds.toFixed(0),
      ]),
    ),
  ].join('\n\n');
}

function gowallaTables({ users, items, trainingPairs, testPairs, rows }: GowallaResult): string {
  return [
    '## Implicit feedback',
    `${grouped(users)} users, ${grouped(items)} items; trained on ${grouped(trainingPairs)} pairs of the training and validation files, tested on ` +
      `${grouped(testPairs)}. All items are ranked but those of the training; seconds are of training.`,
    markdownTable(
      ['model', 'loss', 'Recall@20', 'nDCG@20', 'seconds'],
      rows.map(({ model, loss, recall20, ndcg20, seconds }) => [
        model,
        loss,
        ...[recall20, ndcg20].map(fourDigits),
        seconds.toFixed(0),
      ]),
    ),
  ].join('\n\n');
}

function sportsTables({ users, items, trainingPairs, rows }: SportsResult): string {
  return [
    '## The next item',
    `${grouped(users)} users, ${grouped(items)} items; each user's last item is predicted from ${grouped(trainingPairs)} items before. All items are ` +
      'ranked but those that the user has had; seconds are of training.',
    markdownTable(
      ['model', 'loss', 'HR@5', 'HR@10', 'nDCG@5', 'nDCG@10', 'seconds'],
      rows.map(({ model, loss, hr5, hr10, ndcg5, ndcg10, seconds }) => [
        model,
        loss,
        ...[hr5, hr10, ndcg5, ndcg10].map(fourDigits),
        seconds.toFixed(0),
      ]),
    ),
  ].join('\n\n');
}

function fourDigits(value: number | null): string {
  return value === null ? 'diverged' : value.toFixed(4);
}

/** Of a training that time ended. */
function cut({ examples }: Trained, planned: number): string {
  return examples < planned ? ` (cut after ${grouped(examples)} of ${grouped(planned)} examples)` : '';
}
