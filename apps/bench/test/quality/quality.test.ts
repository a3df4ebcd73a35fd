import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainBackend } from '@vastmax/linalg-core';
import { createNetwork, outputLayerNames, type NetworkSizes } from '@vastmax/lm-models';
import { evaluateRanking } from '@vastmax/lm-models/metrics';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BackendInUse } from '../../src/measurement/backend-choice.ts';
import { triesOf } from '../../src/quality-rates/command.ts';
import { bestOf, measureRates } from '../../src/quality-rates/measure.ts';
import { ratesTables } from '../../src/quality-rates/report.ts';
import { batchesOf, readQualityCorpus, readTuningCorpus, type QualityCorpus } from '../../src/quality/corpus.ts';
import { measureQuality, type QualityOptions } from '../../src/quality/measure.ts';
import { compare, summarize, type Outcomes } from '../../src/quality/outcomes.ts';
import { qualityTables } from '../../src/quality/report.ts';
import { readLog, type LoggedRun } from '../../src/quality/run-log.ts';
import type { RunSettings } from '../../src/quality/run.ts';
import { qualityReport } from '../../src/quality/summarize-runs.ts';
import { layerSettingNames, parseLayerSettings, parseLayerSettingsList } from '../../src/workload/layer-settings.ts';

const silent = (): void => undefined;
const inUse: BackendInUse = { name: 'plain', threads: 1, detail: 'plain' };
const sizes = { order: 2, embedding: 4, hidden: [5], batch: 8 } as const;

let folder: string;
let corpus: QualityCorpus;
const networkSizes = (): NetworkSizes => ({
  inputs: corpus.vocabulary.size,
  frequencies: corpus.vocabulary.counts,
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vastmax-quality-'));
  writeFileSync(join(folder, 'train.txt'), 'the cat sat on the mat\nthe dog sat on the log\n'.repeat(20));
  writeFileSync(join(folder, 'valid.txt'), 'the dog sat on the mat\nthe cow sat\n'.repeat(6).replaceAll('cow', 'cat'));
  corpus = await readQualityCorpus({ data: folder });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function optionsOf(changes: Partial<QualityOptions> = {}): QualityOptions {
  return {
    ...sizes,
    layers: parseLayerSettingsList('full,z-loss'),
    seeds: [1],
    budgetSeconds: undefined,
    examples: undefined,
    maxSecondsPerRun: undefined,
    evaluate: 0,
    log: undefined,
    ...changes,
  };
}

describe('bench quality', () => {
  it('has a row for each layer, setting and seed, and each layer beside the full softmax', async () => {
    const log = join(folder, 'log.jsonl');
    const report = await measureQuality(
      createPlainBackend(),
      inUse,
      corpus,
      optionsOf({ seeds: [1, 2], budgetSeconds: 0.05, log }),
      silent,
    );
    expect(report.rows.map(({ layer, setting, seed }) => [layer, setting, seed])).toEqual(
      [1, 2].flatMap((seed) =>
        ['full', 'factored'].flatMap((layer) =>
          ['equal-examples', 'equal-time'].map((setting) => [layer, setting, seed]),
        ),
      ),
    );
    for (const { setting, examples, seconds, isCut, metrics, bands } of report.rows) {
      expect(setting === 'equal-examples' ? examples : 280).toBe(280);
      expect(seconds).toBeGreaterThan(0);
      expect(isCut).toBe(false);
      expect(metrics?.top10).toBe(1);
      expect(bands.map(({ firstClass, lastClass, examples: words }) => [firstClass, lastClass, words])).toEqual([
        [0, null, 66],
      ]);
    }
    expect(report.rows.map(({ metrics }) => metrics?.perplexity === null)).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(report.againstFull.map(({ name, setting, seeds }) => [name, setting, seeds])).toEqual([
      ['z-loss', 'equal-examples', [1, 2]],
      ['z-loss', 'equal-time', [1, 2]],
    ]);
    const meanOf = (layer: string): number =>
      report.rows
        .filter((row) => row.layer === layer && row.setting === 'equal-examples')
        .reduce((sum, row) => sum + (row.metrics?.mrr ?? Number.NaN) / 2, 0);
    expect(report.againstFull[0]?.all.differences.mrr).toBeCloseTo(meanOf('factored') - meanOf('full'), 12);
    expect(report.rates).toEqual([
      {
        name: 'full',
        outputRate: parseLayerSettings('full').outputRate,
        bodyRate: parseLayerSettings('full').bodyRate,
      },
      expect.anything(),
    ]);
    expect(qualityTables(report)).toMatch(/^\| z-loss \|.*\| +280 \| +2 \|$/m);
    expect(JSON.stringify(qualityReport(await readLog(log)).againstFull.map(({ name }) => name))).toBe(
      '["z-loss","z-loss"]',
    );
  });

  it('goes on where an interrupted bench left off, bit for bit', async () => {
    const log = join(folder, 'log.jsonl');
    const whole = await measureQuality(createPlainBackend(), inUse, corpus, optionsOf({ log }), silent);
    const [first = '', second = ''] = readFileSync(log, 'utf8').split('\n');
    writeFileSync(log, `${first}\n${second.slice(0, 100)}`);
    const resumed = await measureQuality(createPlainBackend(), inUse, corpus, optionsOf({ log }), silent);
    expect(resumed.rows[0]).toEqual({
      ...whole.rows[0],
      metrics: resumed.rows[0]?.metrics,
      standardErrors: resumed.rows[0]?.standardErrors,
      bands: resumed.rows[0]?.bands,
    });
    expect(resumed.rows.map(({ metrics }) => metrics?.mrr)).toEqual(whole.rows.map(({ metrics }) => metrics?.mrr));
    expect(resumed.rows[0]?.metrics?.perplexity).toBeCloseTo(whole.rows[0]?.metrics?.perplexity ?? Number.NaN, 2);
    expect(await readLog(log)).toHaveLength(2);
    const other = await measureQuality(
      createPlainBackend(),
      inUse,
      corpus,
      optionsOf({ log, layers: parseLayerSettingsList('full:outputRate=1') }),
      silent,
    );
    expect(await readLog(log)).toHaveLength(3);
    expect(other.rates[0]?.outputRate).toBe(1);
  });

  it('names the line of a log that is none', async () => {
    const log = join(folder, 'log.jsonl');
    appendFileSync(log, '{"specification":2}\n');
    await expect(readLog(log)).rejects.toThrow(
      `${log}:1 is no line of bench quality --log (its specification is 2, expected 1); delete the line`,
    );
  });

  it('says when a run was cut and when one diverged', async () => {
    const layers = parseLayerSettingsList('full,squared-error:outputRate=1e30');
    const report = await measureQuality(
      createPlainBackend(),
      inUse,
      corpus,
      optionsOf({ layers, examples: 2 ** 40, maxSecondsPerRun: 0.05 }),
      silent,
    );
    expect(report.rows.map(({ isCut, diverged }) => [isCut, diverged === null])).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(report.rows[1]?.metrics).toBeNull();
    expect(qualityTables(report)).toMatch(/squared-error:outputRate=1e30 .* diverged/);
  });

  it('has a default training for every layer', async () => {
    const backend = createPlainBackend();
    const all = layerSettingNames.map(parseLayerSettings);
    expect(new Set(all.map(({ layer }) => layer))).toEqual(new Set(outputLayerNames));
    for (const { output, layer } of all) {
      using model = await createNetwork(backend, networkSizes(), { body: { kind: 'ngram', ...sizes }, output });
      expect(model.output.classes, layer).toBe(corpus.vocabulary.size);
    }
  });

  it('refuses layers and options that there are not', () => {
    expect(() => parseLayerSettings('softmax')).toThrow("no layer is called 'softmax'; there are z-loss,");
    expect(() => parseLayerSettings('hybrid:samples=3')).toThrow(
      "'samples=3' in 'hybrid:samples=3' must be option=number, and hybrid has the options outputRate, bodyRate, initialScale, headSize",
    );
    expect(() => parseLayerSettings('sampled:samples=')).toThrow('must be option=number');
    expect(parseLayerSettings('sampled:samples=30').output).toMatchObject({
      kind: 'sampled',
      samples: 30,
      proposal: 'unigram',
    });
    expect(['negative', 'negative:power=1'].map((name) => parseLayerSettings(name).output)).toMatchObject([
      { proposal: 'uniform' },
      { proposal: 'unigram' },
    ]);
    expect(parseLayerSettings('z-loss-b40')).toMatchObject({
      layer: 'factored',
      bodyRate: 5,
      output: { loss: { name: 'z-loss', options: { a: 0.05, b: 40 } } },
    });
  });

  it('does not put runs into one table that differ by more than the layer', async () => {
    const log = join(folder, 'log.jsonl');
    await measureQuality(createPlainBackend(), inUse, corpus, optionsOf({ log, budgetSeconds: 0.01 }), silent);
    const runs = await readLog(log);
    const withLast = (changes: Partial<RunSettings>): LoggedRun[] =>
      runs.map((run, i) => (i === runs.length - 1 ? { ...run, settings: { ...run.settings, ...changes } } : run));
    expect(qualityReport(withLast({})).rows).toHaveLength(4);
    expect(() => qualityReport(withLast({ fingerprint: 'another' }))).toThrow(
      'the runs do not belong in one table: the texts are',
    );
    expect(() => qualityReport(withLast({ maximumSeconds: 5 }))).toThrow(
      'the seconds at equal time are 0.01 and 5; keep a log for each',
    );
    expect(() => qualityReport(withLast({ outputRate: 7 }))).toThrow('the rates of z-loss are');
    expect(() => qualityReport(withLast({ threads: 7 }))).toThrow('the backends are');
    expect(() => qualityReport([])).toThrow('there is no finished run');
  });
});

describe('bench quality-rates', () => {
  it('tries the same factors for each layer and marks the best of each', async () => {
    const tuning = await readTuningCorpus({ data: folder }, 50);
    expect([tuning.training, tuning.heldOut].map(({ first, last }) => [first, last])).toEqual([
      [0, 230],
      [230, 280],
    ]);
    const layers = parseLayerSettingsList('z-loss,sampled:samples=5');
    const report = await measureRates(
      createPlainBackend(),
      inUse,
      tuning,
      {
        ...sizes,
        layers,
        tries: triesOf('1x1,0.001x1,2x0.5'),
        examples: 400,
        seed: 1,
        maxSecondsPerRun: undefined,
        log: undefined,
      },
      silent,
    );
    const [zLoss, sampled] = layers;
    expect(report.rows.map(({ name, outputRate, bodyRate }) => [name, outputRate, bodyRate])).toEqual(
      [zLoss, sampled].flatMap((layer) =>
        [
          [1, 1],
          [0.001, 1],
          [2, 0.5],
        ].map(([output = 0, body = 0]) => [
          layer?.name,
          output * (layer?.outputRate ?? 0),
          body * (layer?.bodyRate ?? 0),
        ]),
      ),
    );
    for (const name of ['z-loss', 'sampled:samples=5'])
      expect(report.rows.filter((row) => row.name === name && row.isBest)).toHaveLength(1);
    expect(ratesTables(report).match(/←/g)).toHaveLength(2);
  });

  it('takes the best ranks, and the perplexity where ranks do not decide', async () => {
    const log = join(folder, 'log.jsonl');
    await measureQuality(
      createPlainBackend(),
      inUse,
      corpus,
      optionsOf({ log, layers: parseLayerSettingsList('full') }),
      silent,
    );
    const [run] = await readLog(log);
    if (run === undefined) throw new Error('the bench has logged nothing');
    const withOutcomes = (ranks: number[], losses: number[] | null): LoggedRun => ({
      ...run,
      result: {
        ...run.result,
        outcomes: {
          ranks: Int32Array.from(ranks),
          losses: losses === null ? null : Float64Array.from(losses),
          bands: new Uint8Array(ranks.length),
        },
      },
    });
    const best = withOutcomes([1, 1, 2, 2], [2, 2, 2, 2]);
    const equal = withOutcomes([1, 2, 1, 3], [1, 1, 1, 1]);
    const worse = withOutcomes([3, 3, 4, 4], [0, 0, 0, 0]);
    const failed: LoggedRun = { ...run, result: { ...run.result, outcomes: null, diverged: 'diverged at step 3' } };
    expect(bestOf([worse, best, failed, equal])).toBe(equal);
    expect(bestOf([worse, best])).toBe(best);
    expect(bestOf([withOutcomes([2, 1, 1, 3], null), best])).toBe(best);
    expect(bestOf([failed])).toBeUndefined();
  });

  it('refuses factors that are none', () => {
    for (const text of ['1', '1x', '0x1', '1x-1', '1x1x1'])
      expect(() => triesOf(text), text).toThrow('expected pairs of factors above 0');
  });
});

describe('outcomes', () => {
  const outcomes: Outcomes = {
    ranks: Int32Array.of(1, 2, 20, 100, 5),
    losses: Float64Array.of(1, 2, 3, 4, 5),
    bands: Uint8Array.of(0, 0, 1, 1, 1),
  };

  it('are what evaluateRanking reports', async () => {
    const { output } = parseLayerSettings('full');
    using model = await createNetwork(createPlainBackend(), networkSizes(), {
      body: { kind: 'ngram', ...sizes },
      output,
    });
    const ranks: number[] = [];
    const losses: number[] = [];
    const targets: number[] = [];
    const report = await evaluateRanking(
      model,
      batchesOf(corpus, corpus.heldOut, { order: 2, batchSize: 8, seed: 0 }),
      {
        bands: [2, 4],
        onExample: (target, rank, loss) => {
          ranks.push(rank);
          losses.push(loss);
          targets.push(target);
        },
      },
    );
    const collected = {
      ranks: Int32Array.from(ranks),
      losses: Float64Array.from(losses),
      bands: Uint8Array.from(targets, (target) => (target < 2 ? 0 : target < 4 ? 1 : 2)),
    };
    for (const [band, expected] of [[undefined, report], ...report.bands.entries()] as const) {
      const { examples, metrics } = summarize(collected, band);
      expect(examples).toBe(expected.examples);
      for (const top of [1, 5, 10, 50, 100] as const)
        expect(metrics[`top${top}`]).toBeCloseTo(expected.topAccuracy[top], 12);
      expect(metrics.mrr).toBeCloseTo(expected.meanReciprocalRank, 12);
      expect(metrics.perplexity).toBeCloseTo(expected.perplexity ?? Number.NaN, 9);
    }
  });

  it('have the standard error of a mean', () => {
    const { metrics, standardErrors } = summarize(outcomes);
    expect(metrics).toMatchObject({
      top1: 0.2,
      top5: 0.6,
      top10: 0.6,
      top50: 0.8,
      top100: 1,
      mrr: (1 + 0.5 + 0.05 + 0.01 + 0.2) / 5,
    });
    expect(standardErrors.top1).toBeCloseTo(Math.sqrt((0.2 * 0.8) / 4), 12);
    expect(metrics.perplexity).toBeCloseTo(Math.exp(3), 9);
    expect(standardErrors.perplexity).toBeCloseTo(Math.exp(3) * Math.sqrt(2.5 / 5), 9);
  });

  it('differ example by example', () => {
    const better = { ...outcomes, ranks: Int32Array.of(1, 1, 20, 100, 5), losses: Float64Array.of(0, 1, 2, 3, 4) };
    const { differences, standardErrors, perplexityRatio } = compare([
      { ours: better, theirs: outcomes },
      { ours: outcomes, theirs: outcomes },
    ]);
    expect(differences.top1).toBeCloseTo(0.1, 12);
    expect(standardErrors.top1).toBeCloseTo(Math.sqrt((0.4 ** 2 + 4 * 0.1 ** 2) / 4 / 5), 12);
    expect([differences.top10, standardErrors.top10]).toEqual([0, 0]);
    expect(perplexityRatio).toBeCloseTo(Math.exp(-0.5), 12);
    expect(standardErrors.perplexityRatio).toBeCloseTo(0, 12);
    expect(compare([{ ours: better, theirs: outcomes }], 1).differences.top1).toBe(0);
    expect(compare([{ ours: { ...better, losses: null }, theirs: outcomes }]).perplexityRatio).toBeNull();
  });

  it('of other examples cannot be compared', () => {
    const fewer = { ranks: Int32Array.of(1), losses: null, bands: Uint8Array.of(0) };
    expect(() => compare([{ ours: fewer, theirs: outcomes }])).toThrow('not ranked on the same examples');
    expect(() => compare([])).toThrow('no pair');
  });
});
