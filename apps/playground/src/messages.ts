/** What the page and the worker that trains say to each other, as structured clones. */

export type BackendName = 'auto' | 'webgpu' | 'wasm';

export type DataChoice =
  | { readonly kind: 'speeches' }
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'made-up'; readonly inputs: 'dense' | 'sparse'; readonly classes: number };

/** An output layer, and the rates that it trains with. */
export interface LayerChoice {
  readonly kind: string;
  /** Of the factored layer. */
  readonly loss?: string;
  /** Of the layer, by the names of the registry. */
  readonly options: Readonly<Record<string, number | string>>;
  readonly outputRate: number;
  readonly bodyRate: number;
}

export interface RunSettings {
  readonly data: DataChoice;
  /** Words that are read before the one that is predicted. */
  readonly order: number;
  /** Width of a word's vector. */
  readonly embedding: number;
  /** Width of the hidden layer, which is that of a class's vector. */
  readonly hidden: number;
  readonly batch: number;
  /** Of training, of each output layer. */
  readonly seconds: number;
  readonly backend: BackendName;
  /** One, or those of a race. */
  readonly layers: readonly LayerChoice[];
}

/** An output layer as its controls show it. */
export interface LayerDescription {
  readonly name: string;
  readonly description: string;
  /** How a step grows with the number of classes. */
  readonly growth: string;
  readonly probabilities: string;
  /** Options with a value that holds unless another is given; `choices` where it is one of some words. */
  readonly options: readonly {
    readonly name: string;
    readonly value: number | string;
    readonly choices?: readonly string[];
  }[];
  /** Rates of the layer, or of each of its losses. */
  readonly rates: Readonly<Record<string, { readonly outputRate: number; readonly bodyRate: number }>>;
}

/** Of some steps; the seconds and examples are those at their end. */
export interface ProgressPoint {
  readonly seconds: number;
  readonly examples: number;
  /** Mean of an example. */
  readonly loss: number;
  readonly examplesPerSecond: number;
  /** Milliseconds of a step. */
  readonly stepMs: number;
}

/** Examples that were not trained on. */
export interface EvaluationPoint {
  readonly seconds: number;
  readonly examples: number;
  readonly evaluated: number;
  readonly top1: number;
  readonly top10: number;
  readonly meanReciprocalRank: number;
  /** Where the layer has probabilities. */
  readonly perplexity?: number;
}

/** One output layer of a run. */
export interface ContenderDescription {
  readonly name: string;
  /** Of weights and what training keeps beside them. */
  readonly bytes: number;
}

export interface RunDescription {
  readonly title: string;
  readonly classes: number;
  readonly backend: string;
  readonly settings: RunSettings;
  readonly contenders: readonly ContenderDescription[];
}

/** What has been measured of one output layer. */
export interface Curve {
  readonly progress: ProgressPoint[];
  readonly evaluations: EvaluationPoint[];
}

export type RunState = 'preparing' | 'running' | 'paused' | 'finished' | 'stopped' | 'failed';

/** A run that an earlier visit of the page has left. */
export interface SavedRun {
  readonly title: string;
  readonly savedAt: string;
  readonly seconds: number;
  readonly examples: number;
}

export type ToWorker =
  /** Where the speeches are. */
  | { readonly type: 'begin'; readonly speeches: string }
  | { readonly type: 'start'; readonly settings: RunSettings }
  | { readonly type: 'pause' | 'resume' | 'stop' | 'restore' | 'discard' }
  | { readonly type: 'save'; readonly contender: number }
  /** A text to train on. */
  | { readonly type: 'text'; readonly file: File }
  /** The files of a checkpoint. */
  | { readonly type: 'open'; readonly files: readonly File[] }
  | {
      readonly type: 'continue-text';
      readonly contender: number;
      readonly prompt: string;
      readonly temperature: number;
      readonly words: number;
    }
  | { readonly type: 'nearest'; readonly contender: number; readonly word: string }
  | { readonly type: 'map'; readonly contender: number };

export type FromWorker =
  | {
      readonly type: 'ready';
      readonly layers: readonly LayerDescription[];
      readonly backends: readonly string[];
      readonly saved?: SavedRun;
    }
  | { readonly type: 'state'; readonly state: RunState; readonly text: string }
  | { readonly type: 'text-read'; readonly name: string; readonly characters: number }
  | { readonly type: 'run'; readonly run: RunDescription; readonly curves: readonly Curve[] }
  | {
      readonly type: 'points';
      readonly contender: number;
      readonly point?: ProgressPoint;
      readonly evaluation?: EvaluationPoint;
      /** Of all handles of the backend. */
      readonly bytes: number;
    }
  /** Whether there is a model of words to ask, and what it is called. */
  | { readonly type: 'model'; readonly title: string; readonly asksWords: boolean; readonly saves: boolean }
  | {
      readonly type: 'continued';
      readonly text: string;
      readonly next: readonly { readonly word: string; readonly share: number }[];
    }
  | { readonly type: 'neighbors'; readonly words: readonly { readonly word: string; readonly similarity: number }[] }
  | {
      readonly type: 'map';
      readonly words: readonly { readonly word: string; readonly x: number; readonly y: number }[];
    }
  | { readonly type: 'checkpoint'; readonly name: string; readonly file: Blob }
  | { readonly type: 'stored'; readonly at: string }
  /** Something that was asked for could not be done; training is not concerned. */
  | { readonly type: 'problem'; readonly text: string };
