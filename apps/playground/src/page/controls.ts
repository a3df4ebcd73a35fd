/** The settings of a run: the form, and what it says. */
import type { BackendName, DataChoice, LayerChoice, LayerDescription, RunSettings } from '../messages.ts';
import { create } from './elements.ts';

const maxLayers = 4;

/** Of options in words; the others have the name that the command gives them. */
const optionLabels: Readonly<Record<string, string>> = {
  samples: 'Drawn classes',
  proposal: 'Drawn by',
  power: 'Power of the counts',
  sharing: 'Drawn for each',
  head: 'Always among the drawn',
  rule: 'Update rule',
  tail: 'Rare classes',
  headRate: 'Rate of frequent classes ×',
  tailRate: 'Rate of rare classes ×',
  labelSmoothing: 'Label smoothing',
  divValue: 'Narrower by, for rarer classes',
  frequencies: 'Random features',
  nu: 'Width of the kernel (ν)',
  alpha: 'Weight of the square (α)',
};

/** Rates that work where the inputs are no words. */
const madeUpBodyRate = 0.5;

interface LayerControls {
  readonly element: HTMLElement;
  value(): LayerChoice;
  /** Default rates for the data. */
  reset(): void;
}

export class Controls {
  readonly #form: HTMLFormElement;
  readonly #descriptions: readonly LayerDescription[];
  readonly #layers: LayerControls[] = [];
  readonly #layerList = create('div');
  readonly #add = create('button', { type: 'button', class: 'secondary' }, 'Add an output layer to race against');
  readonly #data = select('data', [
    ['speeches', 'State of the Union addresses: next words'],
    ['file', 'A text file of your own: next words'],
    ['made-up', 'Made-up classes'],
  ]);
  readonly #classes = number('classes', 100_000, 1000, 4_000_000, 1);
  readonly #inputs = select('inputs', [
    ['dense', 'dense: 64 numbers'],
    ['sparse', 'sparse: a few of 192 features'],
  ]);
  readonly #order = number('order', 4, 1, 20, 1);
  readonly #embedding = number('embedding', 64, 1, 1024, 1);
  readonly #hidden = number('hidden', 96, 1, 1024, 1);
  readonly #batch = number('batch', 256, 1, 4096, 1);
  readonly #seconds = number('seconds', 60, 1, 86_400, 1);
  readonly #backend = select('backend', [
    ['auto', 'the best here'],
    ['webgpu', 'WebGPU'],
    ['wasm', 'WebAssembly'],
  ]);
  #file: string | undefined;

  /** @param onFile a text was given. */
  constructor(form: HTMLFormElement, descriptions: readonly LayerDescription[], onFile: (file: File) => void) {
    this.#form = form;
    this.#descriptions = descriptions;
    const file = create('input', { id: 'text-file', type: 'file', accept: '.txt,.md,.csv,text/*' });
    file.addEventListener('change', () => {
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) onFile(chosen);
    });
    const ofFile = create('div', { class: 'drop' }, labelled('Text file (or drop it on the page)', file));
    const ofMadeUp = create(
      'div',
      { class: 'pair' },
      labelled('Classes', this.#classes),
      labelled('Inputs', this.#inputs),
    );
    const ofWords = create(
      'div',
      { class: 'pair' },
      labelled('Words that are read', this.#order),
      labelled('Width of a word', this.#embedding),
    );
    const presets = create('div', { class: 'buttons small' });
    for (const [text, classes] of [
      ['10 thousand', 1e4],
      ['100 thousand', 1e5],
      ['1 million', 1e6],
    ] as const) {
      const button = create('button', { type: 'button', class: 'secondary' }, text);
      button.addEventListener('click', () => {
        this.#classes.value = String(classes);
      });
      presets.append(button);
    }
    ofMadeUp.append(presets);
    const show = (): void => {
      const kind = this.#data.value;
      ofFile.hidden = kind !== 'file';
      ofMadeUp.hidden = kind !== 'made-up';
      ofWords.hidden = kind === 'made-up';
    };
    this.#data.addEventListener('change', () => {
      show();
      for (const layer of this.#layers) layer.reset();
    });
    show();
    this.#add.addEventListener('click', () =>
      this.#addLayer(['sampled', 'full', 'hierarchical'][this.#layers.length - 1] ?? 'hybrid'),
    );
    form.append(
      group('Data', labelled('Train on', this.#data), ofFile, ofMadeUp),
      group(
        'Network',
        ofWords,
        create(
          'div',
          { class: 'pair' },
          labelled('Hidden width', this.#hidden),
          labelled('Examples of a step', this.#batch),
        ),
      ),
      this.#layerList,
      this.#add,
      group(
        'Training',
        create(
          'div',
          { class: 'pair' },
          labelled('Seconds, each layer', this.#seconds),
          labelled('Computed by', this.#backend),
        ),
      ),
    );
    this.#addLayer('hybrid');
  }

  get isValid(): boolean {
    return this.#form.reportValidity();
  }

  /** A text was read: it is trained on. */
  useFile(name: string): void {
    this.#file = name;
    this.#data.value = 'file';
    this.#data.dispatchEvent(new Event('change'));
  }

  value(): RunSettings {
    return {
      data: this.#dataChoice(),
      order: Number(this.#order.value),
      embedding: Number(this.#embedding.value),
      hidden: Number(this.#hidden.value),
      batch: Number(this.#batch.value),
      seconds: Number(this.#seconds.value),
      backend: this.#backend.value as BackendName,
      layers: this.#layers.map((layer) => layer.value()),
    };
  }

  #dataChoice(): DataChoice {
    const kind = this.#data.value;
    if (kind === 'speeches') return { kind };
    if (kind === 'made-up')
      return { kind, inputs: this.#inputs.value as 'dense' | 'sparse', classes: Number(this.#classes.value) };
    if (this.#file === undefined) throw new Error('Give a text file first: choose one, or drop it on the page');
    return { kind: 'file', name: this.#file };
  }

  #addLayer(kind: string): void {
    const layer = this.#createLayer(kind);
    this.#layers.push(layer);
    this.#layerList.append(layer.element);
    this.#countLayers();
  }

  #countLayers(): void {
    this.#add.hidden = this.#layers.length >= maxLayers;
    for (const [index, { element }] of this.#layers.entries()) {
      const [legend, remove] = [element.querySelector('legend'), element.querySelector<HTMLElement>('.remove')];
      if (legend !== null)
        legend.textContent = this.#layers.length === 1 ? 'Output layer' : `Output layer ${index + 1}`;
      if (remove !== null) remove.hidden = this.#layers.length === 1;
    }
  }

  #createLayer(first: string): LayerControls {
    const id = crypto.randomUUID().slice(0, 8);
    const kind = select(
      `kind-${id}`,
      this.#descriptions.map(({ name }) => [name, name]),
    );
    kind.value = first;
    kind.classList.add('kind');
    const about = create('p', { class: 'quiet' });
    const loss = select(`loss-${id}`, []);
    const lossLabel = labelled('Loss', loss);
    const outputRate = number(`output-rate-${id}`, 1, 0, 1e6, 'any');
    const bodyRate = number(`body-rate-${id}`, 1, 0, 1e6, 'any');
    const optionList = create('div', { class: 'pair' });
    const more = create('details', {}, create('summary', {}, 'Options and rates'), optionList);
    const remove = create('button', { type: 'button', class: 'secondary remove' }, 'Remove');
    const options = new Map<
      string,
      { readonly control: HTMLInputElement | HTMLSelectElement; readonly isNumber: boolean }
    >();
    const descriptionOf = (): LayerDescription | undefined =>
      this.#descriptions.find(({ name }) => name === kind.value);
    const reset = (): void => {
      const { rates = {}, name = '' } = descriptionOf() ?? {};
      const found = rates[lossLabel.hidden ? name : loss.value];
      outputRate.value = String(found?.outputRate ?? 1);
      // Words have an embedding below, whose rate the registry knows.
      const bodyOfWords = found?.bodyRate ?? 1;
      bodyRate.value = String(this.#data.value === 'made-up' ? Math.min(bodyOfWords, madeUpBodyRate) : bodyOfWords);
    };
    const show = (): void => {
      const description = descriptionOf();
      if (description === undefined) return;
      about.textContent = `${description.description.replace(/^./, (letter) => letter.toUpperCase())}. Grows with the number of classes: ${description.growth}.`;
      const losses = Object.keys(description.rates);
      lossLabel.hidden = losses.length === 1;
      loss.replaceChildren(...losses.map((name) => create('option', { value: name }, name)));
      options.clear();
      optionList.replaceChildren(
        labelled('Rate of the output layer', outputRate),
        labelled('Rate of the body', bodyRate),
      );
      for (const { name, value, choices } of description.options) {
        const control =
          choices === undefined
            ? number(`${name}-${id}`, Number(value), 0, 1e9, 'any')
            : select(
                `${name}-${id}`,
                choices.map((choice) => [choice, choice]),
              );
        control.value = String(value);
        options.set(name, { control, isNumber: choices === undefined });
        optionList.append(labelled(optionLabels[name] ?? name, control));
      }
      reset();
    };
    kind.addEventListener('change', show);
    loss.addEventListener('change', reset);
    const element = group('Output layer', labelled('Kind', kind), about, lossLabel, more, remove);
    show();
    const layer: LayerControls = {
      element,
      reset,
      value: () => ({
        kind: kind.value,
        ...(lossLabel.hidden ? {} : { loss: loss.value }),
        options: Object.fromEntries(
          Array.from(options, ([name, { control, isNumber }]) => [
            name,
            isNumber ? Number(control.value) : control.value,
          ]),
        ),
        outputRate: Number(outputRate.value),
        bodyRate: Number(bodyRate.value),
      }),
    };
    remove.addEventListener('click', () => {
      this.#layers.splice(this.#layers.indexOf(layer), 1);
      element.remove();
      this.#countLayers();
      this.#add.focus();
    });
    return layer;
  }
}

function labelled(text: string, control: HTMLElement): HTMLLabelElement {
  return create('label', {}, text, control);
}

function group(legend: string, ...content: readonly HTMLElement[]): HTMLFieldSetElement {
  return create('fieldset', { class: 'card' }, create('legend', {}, legend), ...content);
}

function select(id: string, choices: readonly (readonly [string, string])[]): HTMLSelectElement {
  return create('select', { id }, ...choices.map(([value, text]) => create('option', { value }, text)));
}

function number(id: string, value: number, min: number, max: number, step: number | 'any'): HTMLInputElement {
  return create('input', {
    id,
    type: 'number',
    value: String(value),
    min: String(min),
    max: String(max),
    step: String(step),
    required: '',
    inputmode: 'decimal',
  });
}
