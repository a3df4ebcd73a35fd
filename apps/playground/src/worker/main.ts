/** The worker of the page: everything that computes. It trains, answers and saves as the page asks. */
import { createMemoryStorage, openCheckpoint } from '@vastmax/checkpoints';
import { isLinalgError } from '@vastmax/linalg-core';
import { loadTextModel, loadTextReading } from '@vastmax/lm-models/text';
import type { DataChoice, FromWorker, RunDescription, RunSettings, ToWorker } from '../messages.ts';
import { continueText, nearestWords } from './ask-words.ts';
import { chooseBackend, describeBackends } from './choose-backend.ts';
import { Contender, type ContinuedRun } from './contender.ts';
import type { Job, WordModel } from './job.ts';
import { describeLayers } from './layer-choices.ts';
import { createMadeUpJob } from './made-up-job.ts';
import { Run } from './run.ts';
import {
  checkpointOf,
  describeKept,
  discardKept,
  keepRun,
  keepText,
  keptRun,
  keptText,
  maxKeptBytes,
  packCheckpoint,
} from './saved-run.ts';
import { readTar } from './tar.ts';
import { createTextJob } from './text-job.ts';
import { mapWords } from './word-map.ts';
import { loadSpeeches, readTextFile } from './texts.ts';

/** Between two saves into the private files of the page. */
const secondsPerSave = 10;

let speeches: Promise<Job> | undefined;
let dropped: { readonly name: string; readonly text: string } | undefined;
let run: Run | undefined;
/** Of an opened checkpoint; else of the run. */
let opened: (WordModel & AsyncDisposable) | undefined;
/** Resolves when the run under way has ended. */
let training: Promise<void> = Promise.resolve();

const send = (message: FromWorker): void => {
  postMessage(message);
};

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!isLinalgError(error)) return message;
  if (error.code === 'out-of-memory') return `Not enough memory: ${message}. Take fewer classes, or a smaller width`;
  return error.code === 'device-lost' ? `What computes was lost: ${message}. Start again` : message;
}

async function jobOf(data: DataChoice): Promise<Job> {
  if (data.kind === 'speeches') {
    if (speeches === undefined) throw new Error('The page has not said where the speeches are');
    return await speeches;
  }
  if (data.kind === 'made-up') return createMadeUpJob(data.inputs, data.classes);
  if (dropped?.name !== data.name) {
    const text = await keptText().catch(() => undefined);
    if (text === undefined) throw new Error(`${data.name} is not there any more; give the file again`);
    dropped = { name: data.name, text: await readTextFile(text, data.name) };
  }
  return await createTextJob(dropped.name, dropped.text);
}

async function endRun(): Promise<void> {
  await run?.[Symbol.asyncDispose]();
  run = undefined;
  await opened?.[Symbol.asyncDispose]();
  opened = undefined;
}

async function createRun(settings: RunSettings, continued?: ContinuedRun): Promise<Run> {
  await endRun();
  const job = await jobOf(settings.data);
  const { backend, description } = await chooseBackend(settings.backend);
  const contenders: Contender[] = [];
  try {
    for (const layer of settings.layers)
      contenders.push(await Contender.create(backend, job, settings, layer, continued));
  } catch (error) {
    for (const contender of contenders) contender[Symbol.dispose]();
    await backend.dispose();
    throw error;
  }
  const about: RunDescription = {
    title: job.title,
    classes: job.classes,
    backend: description,
    settings,
    contenders: contenders.map((contender) => contender.description),
  };
  return new Run(about, contenders, backend, continued !== undefined);
}

/** Ends what is trained, and makes what is trained next. */
async function prepare(settings: RunSettings, continued?: ContinuedRun): Promise<Run> {
  send({ type: 'state', state: 'preparing', text: 'Preparing the data and the network …' });
  run?.stop();
  await training;
  return await createRun(settings, continued);
}

/** Resolves when training ends. */
async function train(current: Run): Promise<void> {
  run = current;
  const { description, contenders } = current;
  const [first] = contenders;
  if (first === undefined) throw new Error('A run needs at least one output layer');
  const isKept = contenders.length === 1 && first.description.bytes <= maxKeptBytes;
  let keptAt = first.seconds;
  let isRefused = false;
  const keep = async (): Promise<void> => {
    if (!isKept || first.seconds === keptAt) return;
    keptAt = first.seconds;
    try {
      await keepRun(checkpointOf(description, first));
      send({ type: 'stored', at: new Date().toISOString() });
    } catch (error) {
      // Training goes on where the browser refuses; it is said once.
      if (!isRefused) send({ type: 'problem', text: `The run is not kept for a reload: ${explain(error)}` });
      isRefused = true;
    }
  };
  send({ type: 'run', run: description, curves: contenders.map(({ curve }) => curve) });
  send({ type: 'model', title: description.title, asksWords: first.model.words !== undefined, saves: true });
  const words = { running: 'Training', paused: 'Paused', finished: 'Finished', stopped: 'Stopped' };
  send({ type: 'state', state: 'running', text: words.running });
  await current.train({
    state: (state) => {
      send({ type: 'state', state, text: words[state] });
      if (state === 'paused') void current.between(keep);
    },
    point: (contender, point) => {
      send({ type: 'points', contender, point, bytes: current.backend.memory().bytes });
    },
    evaluation: (contender, evaluation) => {
      send({ type: 'points', contender, evaluation, bytes: current.backend.memory().bytes });
    },
    rest: async () => {
      if (first.seconds - keptAt >= secondsPerSave) await keep();
    },
  });
  await keep();
}

function begin(current: Run): void {
  training = train(current).catch((error: unknown) => {
    send({ type: 'state', state: 'failed', text: explain(error) });
  });
}

/** @param contender the output layer that questions are for, unless a checkpoint was opened. */
async function withWords(contender: number, action: (words: WordModel) => Promise<void>): Promise<void> {
  if (opened !== undefined) {
    await action(opened);
    return;
  }
  const words = run?.contenders[contender]?.model.words;
  if (run === undefined || words === undefined)
    throw new Error('There is no model of words yet; train one, or open one');
  await run.between(() => action(words));
}

async function openFiles(files: readonly File[]): Promise<void> {
  const [only] = files;
  const named: [string, Blob][] =
    files.length === 1 && only !== undefined && /\.tar$/i.test(only.name)
      ? await readTar(only)
      : files.map((file) => [file.name, file]);
  const location = only?.name ?? 'no file';
  const storage = createMemoryStorage(
    named.map(([name, file]) => [name.replace(/^.*\//, ''), file] as const),
    { location },
  );
  await using checkpoint = await openCheckpoint(storage);
  const reading = loadTextReading(checkpoint, () => {
    throw new Error(`${location}: a model of subwords; this page opens those of words`);
  });
  const { backend } = await chooseBackend('wasm');
  try {
    const model = await loadTextModel(backend, checkpoint);
    run?.stop();
    await training;
    await endRun();
    opened = {
      model,
      reading,
      [Symbol.asyncDispose]: async () => {
        model[Symbol.dispose]();
        await backend.dispose();
      },
    };
    const { size } = model.vocabulary;
    send({
      type: 'model',
      title: `${location}: a ${model.examples.model} model of ${size.toLocaleString('en-US')} words`,
      asksWords: true,
      saves: false,
    });
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

async function startRun(create: () => Promise<Run>): Promise<void> {
  try {
    begin(await create());
  } catch (error) {
    send({ type: 'state', state: 'failed', text: explain(error) });
  }
}

/** The text is fetched at once, since afterwards nothing may need the network; it is read when the page can be used. */
async function beginPage(url: string): Promise<void> {
  const text = loadSpeeches(url);
  // Whoever needs it awaits it.
  text.catch(() => undefined);
  const saved = await describeKept().catch(() => undefined);
  send({
    type: 'ready',
    layers: describeLayers(),
    backends: await describeBackends(),
    ...(saved === undefined ? {} : { saved }),
  });
  speeches = text.then((all) => createTextJob('State of the Union addresses', all));
  speeches.catch(() => undefined);
}

async function answer(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'begin':
      await beginPage(message.speeches);
      return;
    case 'start':
      await startRun(() => prepare(message.settings));
      return;
    case 'pause':
    case 'resume':
    case 'stop':
      run?.[message.type]();
      return;
    case 'text': {
      const { file } = message;
      const text = await readTextFile(file, file.name);
      dropped = { name: file.name, text };
      await keepText(file).catch(() => undefined);
      send({ type: 'text-read', name: file.name, characters: text.length });
      return;
    }
    case 'open':
      await openFiles(message.files);
      return;
    case 'restore':
      await startRun(async () => {
        const found = await keptRun();
        if (found === undefined) throw new Error('The run that was kept is not there any more');
        await using saved = found.checkpoint;
        const { run: earlier, curve, seconds } = found.kept;
        const examples = Number(saved.configuration['examples']);
        return await prepare(earlier.settings, { saved, curve, seconds, examples });
      });
      return;
    case 'discard':
      await discardKept();
      return;
    case 'save': {
      const current = run;
      const contender = current?.contenders[message.contender];
      if (current === undefined || contender === undefined) throw new Error('There is nothing to save yet');
      await current.between(async () => {
        const name = 'vastmax-model';
        const file = await packCheckpoint(name, checkpointOf(current.description, contender));
        send({ type: 'checkpoint', name: `${name}.tar`, file });
      });
      return;
    }
    case 'continue-text':
      await withWords(message.contender, async (words) => send(await continueText(words, message)));
      return;
    case 'map':
      await withWords(message.contender, async (words) => send(await mapWords(words)));
      return;
    case 'nearest':
      await withWords(message.contender, async (words) => send(await nearestWords(words, message.word)));
  }
}

onmessage = ({ data }: MessageEvent<ToWorker>) => {
  answer(data).catch((error: unknown) => {
    send({ type: 'problem', text: explain(error) });
  });
};
