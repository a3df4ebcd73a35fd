/** The page: controls, curves and questions. All computing is done by the worker. */
import type { Curve, FromWorker, RunDescription, RunState, ToWorker } from './messages.ts';
import { Chart, type Axis } from './page/charts.ts';
import { Controls } from './page/controls.ts';
import { byId, create, download } from './page/elements.ts';
import { bytes, count, digits, percent, short } from './page/numbers.ts';
import { drawPicture } from './page/picture.ts';
import { fillTable, resultsOf } from './page/result-table.ts';
import { drawMap } from './page/word-map.ts';
import './style.css';

const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { type: 'module' });
const send = (message: ToWorker): void => {
  worker.postMessage(message);
};

const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);
const paragraph = (id: string): HTMLParagraphElement => byId(id, HTMLParagraphElement);
const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);
const [start, pause, stop] = [button('start'), button('pause'), button('stop')];
const problem = paragraph('problem');
const figures = byId('figures', HTMLElement);
const chartHeight = innerWidth < 600 ? 180 : 220;
const losses = new Chart<Curve['progress'][number]>(byId('loss-chart', HTMLElement), {
  value: ({ loss }) => loss,
  format: digits,
  height: chartHeight,
});
const accuracies = new Chart<Curve['evaluations'][number]>(byId('accuracy-chart', HTMLElement), {
  value: ({ top10 }) => top10,
  format: (share) => `${digits(100 * share)} %`,
  height: chartHeight,
});

let controls: Controls | undefined;
let run: RunDescription | undefined;
let curves: readonly Curve[] = [];
let state: RunState = 'finished';

function complain(text: string): void {
  problem.hidden = false;
  problem.textContent = text;
}

function showState(next: RunState, text: string): void {
  state = next;
  paragraph('state').textContent = text;
  const isBusy = next === 'running' || next === 'paused' || next === 'preparing';
  start.disabled = isBusy;
  pause.disabled = next !== 'running' && next !== 'paused';
  pause.textContent = next === 'paused' ? 'Resume' : 'Pause';
  stop.disabled = pause.disabled;
  if (next === 'finished' || next === 'stopped') showResults();
}

function showRun(next: RunDescription, nextCurves: readonly Curve[]): void {
  run = next;
  curves = nextCurves;
  const names = next.contenders.map(({ name }) => name);
  paragraph('about').textContent = `${next.title}. Computed by ${next.backend}.`;
  paragraph('loss-note').hidden = names.length === 1;
  byId('table-card', HTMLElement).hidden = true;
  const which = byId('which', HTMLSelectElement);
  which.replaceChildren(...names.map((name, index) => create('option', { value: String(index) }, name)));
  byId('which-label', HTMLElement).hidden = names.length === 1;
  losses.show(
    names,
    curves.map(({ progress }) => progress),
  );
  accuracies.show(
    names,
    curves.map(({ evaluations }) => evaluations),
  );
  showFigures(next.contenders.reduce((sum, { bytes: size }) => sum + size, 0));
}

/** Of one output layer all, of a race what is not in its table. @param size of everything that the backend holds. */
function showFigures(size: number): void {
  if (run === undefined) return;
  const last = curves[0]?.progress.at(-1);
  const evaluated = curves[0]?.evaluations.at(-1);
  const orDash = (value: number | undefined, format: (value: number) => string): string =>
    value === undefined ? '–' : format(value);
  const ofOne: readonly (readonly [string, string])[] = [
    ['Time', orDash(last?.seconds, (seconds) => `${seconds.toFixed(1)} s of ${count(run?.settings.seconds ?? 0)}`)],
    ['Examples', orDash(last?.examples, short)],
    ['Examples a second', orDash(last?.examplesPerSecond, short)],
    ['A step', orDash(last?.stepMs, (ms) => `${digits(ms)} ms`)],
    ['Loss', orDash(last?.loss, digits)],
    ['Held out, top 10', orDash(evaluated?.top10, percent)],
  ];
  const isRace = run.contenders.length > 1;
  const figuresOfRun = [
    ...(isRace ? ofOne.slice(0, 1) : ofOne),
    ['Classes', count(run.classes)],
    ['Memory', bytes(size)],
  ] as const;
  figures.replaceChildren(
    ...figuresOfRun.map(([name, value]) => create('div', {}, create('dt', {}, name), create('dd', {}, value))),
  );
  if (isRace) showResults();
}

function showResults(): void {
  if (run === undefined || curves.every(({ progress }) => progress.length === 0)) return;
  fillTable(byId('table', HTMLTableElement), resultsOf(run, curves));
  byId('table-card', HTMLElement).hidden = false;
}

let figuresAsked: number | undefined;
/** At most once a frame. */
function askFigures(size: number): void {
  if (figuresAsked === undefined)
    requestAnimationFrame(() => {
      showFigures(figuresAsked ?? 0);
      figuresAsked = undefined;
    });
  figuresAsked = size;
}

/** The output layer that questions and downloads are for. */
const chosen = (): number => Number(byId('which', HTMLSelectElement).value);

function receive(message: FromWorker): void {
  switch (message.type) {
    case 'ready':
      controls = new Controls(byId('settings', HTMLFormElement), message.layers, (file) =>
        send({ type: 'text', file }),
      );
      paragraph('backends').textContent = `Here: ${message.backends.join('. ')}.`;
      showState('stopped', 'Ready');
      if (message.saved !== undefined) {
        const { title, savedAt, seconds, examples } = message.saved;
        paragraph('saved-text').textContent =
          `An earlier run was kept in this browser on ${new Date(savedAt).toLocaleString()}, after ${digits(seconds)} s and ${count(examples)} examples: ${title}.`;
        byId('saved', HTMLElement).hidden = false;
      }
      return;
    case 'state':
      showState(message.state, message.text);
      return;
    case 'text-read':
      controls?.useFile(message.name);
      paragraph('state').textContent = `${message.name} is read: ${count(message.characters)} characters. Press Start`;
      return;
    case 'run':
      showRun(message.run, message.curves);
      return;
    case 'points': {
      const { contender, point, evaluation } = message;
      const curve = curves[contender];
      if (point !== undefined) curve?.progress.push(point);
      if (evaluation !== undefined) curve?.evaluations.push(evaluation);
      if (point !== undefined) losses.update();
      if (evaluation !== undefined) accuracies.update();
      askFigures(message.bytes);
      return;
    }
    case 'model':
      if (!message.saves) byId('which-label', HTMLElement).hidden = true;
      byId('ask', HTMLElement).hidden = !message.asksWords;
      paragraph('model-title').textContent = message.title;
      for (const id of ['continued', 'next-words', 'neighbors', 'map']) byId(id, HTMLElement).replaceChildren();
      button('save-model').disabled = !message.saves;
      return;
    case 'continued':
      paragraph('continued').textContent = `${input('prompt').value} … ${message.text}`;
      byId('next-words', HTMLElement).replaceChildren(
        ...message.next.map(({ word, share }) =>
          create(
            'li',
            {},
            `${word} `,
            create('meter', { value: String(share), max: '1', 'aria-label': word }),
            ` ${percent(share)}`,
          ),
        ),
      );
      return;
    case 'neighbors':
      paragraph('neighbors').textContent = message.words
        .map(({ word, similarity }) => `${word} ${similarity.toFixed(2)}`)
        .join(', ');
      return;
    case 'map':
      byId('map', HTMLElement).replaceChildren(drawMap(message.words));
      return;
    case 'checkpoint':
      download(message.name, message.file);
      return;
    case 'stored':
      paragraph('stored').textContent =
        `Kept in this browser at ${new Date(message.at).toLocaleTimeString()}: after a reload the run can go on.`;
      return;
    case 'problem':
      complain(message.text);
  }
}

/** Files given in any way: a model, or a text. */
function give(files: readonly File[]): void {
  const [first] = files;
  if (first === undefined) return;
  problem.hidden = true;
  const isModel = files.length > 1 || /\.(tar|safetensors)$/i.test(first.name) || first.name === 'checkpoint.json';
  send(isModel ? { type: 'open', files } : { type: 'text', file: first });
}

worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
worker.onerror = ({ message }) => {
  showState('failed', `The part that computes has ended: ${message}. Reload the page`);
};
worker.onmessageerror = () => complain('A message of the part that computes could not be read');

byId('settings', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  problem.hidden = true;
  if (controls?.isValid !== true) return;
  try {
    send({ type: 'start', settings: controls.value() });
    showState('preparing', 'Preparing …');
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
  }
});
pause.addEventListener('click', () => {
  send({ type: state === 'paused' ? 'resume' : 'pause' });
  paragraph('state').textContent = state === 'paused' ? 'Resuming …' : 'Pausing …';
});
stop.addEventListener('click', () => {
  send({ type: 'stop' });
  paragraph('state').textContent = 'Stopping …';
});
for (const axis of document.querySelectorAll<HTMLInputElement>('input[name="axis"]'))
  axis.addEventListener('change', () => {
    losses.axis = axis.value as Axis;
    accuracies.axis = axis.value as Axis;
  });
button('restore').addEventListener('click', () => {
  byId('saved', HTMLElement).hidden = true;
  send({ type: 'restore' });
});
button('discard').addEventListener('click', () => {
  byId('saved', HTMLElement).hidden = true;
  send({ type: 'discard' });
});
button('save-json').addEventListener('click', () => {
  if (run === undefined) return;
  const content = { ...run, results: resultsOf(run, curves), curves };
  download('vastmax-run.json', new Blob([`${JSON.stringify(content, undefined, 2)}\n`], { type: 'application/json' }));
});
button('save-png').addEventListener('click', () => {
  if (run === undefined) return;
  const charts = [
    { title: 'Loss on what is trained', canvas: losses.canvas },
    { title: 'Held-out examples whose class is among the ten best', canvas: accuracies.canvas },
  ].flatMap(({ title, canvas }) => (canvas === undefined ? [] : [{ title, canvas }]));
  drawPicture(run.title, charts, resultsOf(run, curves)).then(
    (picture) => download('vastmax-run.png', picture),
    (error: unknown) => complain(String(error)),
  );
});
button('save-model').addEventListener('click', () => send({ type: 'save', contender: chosen() }));
input('open-model').addEventListener('change', () => {
  const files = [...(input('open-model').files ?? [])];
  if (files.length > 0) send({ type: 'open', files });
  input('open-model').value = '';
});
input('temperature').addEventListener('input', () => {
  byId('temperature-value', HTMLOutputElement).textContent = Number(input('temperature').value).toFixed(1);
});
byId('continue-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  problem.hidden = true;
  const temperature = Number(input('temperature').value);
  send({ type: 'continue-text', contender: chosen(), prompt: input('prompt').value, temperature, words: 30 });
});
byId('nearest-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  problem.hidden = true;
  send({ type: 'nearest', contender: chosen(), word: input('word').value });
});
button('show-map').addEventListener('click', () => {
  problem.hidden = true;
  send({ type: 'map', contender: chosen() });
});
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  give([...(event.dataTransfer?.files ?? [])]);
});

send({ type: 'begin', speeches: new URL('state-of-the-union.bin', document.baseURI).href });
