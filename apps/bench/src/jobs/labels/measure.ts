/**
 * `bench jobs --job labels`: 200,000 labels of lines of words, one epoch, by one output layer after the other with the
 * defaults, each in a process of its own, and by fastText where it is installed; in turns, so that all have the same
 * neighbours on the machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputLayerName } from '@vastmax/lm-models';
import { BenchError } from '../../measurement/bench-error.ts';
import { jsonOf } from '../../measurement/child-program.ts';
import { spreadOf } from '../../measurement/statistics.ts';
import { describeMachine, type Machine } from '../../reporting/machine.ts';
import type { ShowStage } from '../../reporting/stage-progress.ts';
import { fasttextLosses, hasFasttext, trainFasttext, type FasttextLoss } from './fasttext.ts';
import { writeLabelledLines, type LabelledLinesOptions } from './labelled-lines.ts';
import type { LayerOutcome, LayerRequest, LayerSettings } from './train-layer.ts';

const ownLayers = ['factored', 'hybrid', 'hierarchical', 'huffman', 'negative', 'sampled'] as const;
type OwnLayer = (typeof ownLayers)[number] & OutputLayerName;
export const labelLayerNames = ['fasttext-hs', 'fasttext-ns', ...ownLayers] as const;
export type LabelLayerName = `fasttext-${FasttextLoss}` | OwnLayer;

export interface LabelsSettings extends LayerSettings {
  readonly lines: LabelledLinesOptions;
  readonly layers: readonly LabelLayerName[];
  readonly turns: number;
}

/** Medians of the turns. */
interface LabelsRow extends LayerOutcome {
  readonly layer: LabelLayerName;
  /** Of `trainSeconds`, which is from the opening of the file to the trained model. */
  readonly examplesPerSecond: number;
  /** Of each turn. */
  readonly turns: readonly number[];
}

export interface LabelsReport {
  readonly bench: 'jobs';
  readonly job: 'labels';
  readonly machine: Machine;
  readonly settings: LabelsSettings;
  readonly fasttext: 'measured' | 'not installed' | 'not asked for';
  readonly rows: readonly LabelsRow[];
}

/** @param program trains one layer; the one beside this file unless given. */
export async function measureLabels(
  settings: LabelsSettings,
  show: ShowStage,
  program: string = fileURLToPath(new URL('./train-layer.ts', import.meta.url)),
): Promise<LabelsReport> {
  const folder = mkdtempSync(join(tmpdir(), 'vastmax-labels-'));
  try {
    const files = { trainFile: join(folder, 'train.txt'), testFile: join(folder, 'test.txt') };
    show('labels: writing the lines');
    writeLabelledLines(files.trainFile, files.testFile, settings.lines, settings.seed);
    const asksForFasttext = settings.layers.some((layer) => fasttextLoss(layer) !== undefined);
    const isInstalled = asksForFasttext && (await hasFasttext());
    const layers = settings.layers.filter((layer) => isInstalled || fasttextLoss(layer) === undefined);
    const outcomes = new Map<LabelLayerName, LayerOutcome[]>(layers.map((layer) => [layer, []]));
    for (let turn = 0; turn < settings.turns; turn++) {
      for (const [layer, results] of outcomes) {
        show(`labels: ${layer}, turn ${turn + 1} of ${settings.turns}`);
        results.push(await outcomeOf(layer, settings, files, join(folder, 'fasttext'), program));
      }
    }
    return {
      bench: 'jobs',
      job: 'labels',
      machine: describeMachine(),
      settings,
      fasttext: isInstalled ? 'measured' : asksForFasttext ? 'not installed' : 'not asked for',
      rows: [...outcomes].map(([layer, results]) => rowOf(layer, results, settings)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fasttextLoss(layer: LabelLayerName): FasttextLoss | undefined {
  return fasttextLosses.find((loss) => layer === `fasttext-${loss}`);
}

async function outcomeOf(
  layer: LabelLayerName,
  { embedding, epochs, batch, backend, threads, seed }: LabelsSettings,
  files: Pick<LayerRequest, 'trainFile' | 'testFile'>,
  modelPath: string,
  program: string,
): Promise<LayerOutcome> {
  const loss = fasttextLoss(layer);
  if (loss !== undefined) return trainFasttext({ loss, ...files, modelPath, embedding, epochs, threads });
  const request = { layer: layer as OwnLayer, ...files, embedding, epochs, batch, backend, threads, seed };
  const outcome = await jsonOf<LayerOutcome>(program, [JSON.stringify(request satisfies LayerRequest)]);
  if ('failure' in outcome) throw new BenchError('failed', `the training of ${layer} failed: ${outcome.failure}`);
  return outcome;
}

function rowOf(layer: LabelLayerName, outcomes: readonly LayerOutcome[], { lines, epochs }: LabelsSettings): LabelsRow {
  const medianOf = (value: (outcome: LayerOutcome) => number): number => spreadOf(outcomes.map(value)).median;
  const trainSeconds = medianOf((outcome) => outcome.trainSeconds);
  return {
    layer,
    trainSeconds,
    examplesPerSecond: (epochs * lines.lines) / trainSeconds,
    readSeconds: medianOf((outcome) => outcome.readSeconds),
    precisionAt1: medianOf((outcome) => outcome.precisionAt1),
    precisionAt5: medianOf((outcome) => outcome.precisionAt5),
    peakMiB: medianOf((outcome) => outcome.peakMiB),
    rates: outcomes[0]?.rates ?? { output: Number.NaN, body: Number.NaN, optimizer: '' },
    turns: outcomes.map((outcome) => outcome.trainSeconds),
  };
}
