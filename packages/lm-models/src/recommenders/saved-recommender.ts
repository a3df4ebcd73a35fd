/**
 * Recommenders in checkpoints: beside the network, the names of items and users, and what each user is known to have,
 * so that a folder is enough to recommend to its users and to evaluate on what was held out.
 */
import { CheckpointError, parseJson, shown, type Checkpoint } from '@vastmax/checkpoints';
import type { Backend } from '@vastmax/linalg-core';
import { findTensor, type JsonObject, type ModuleState, type TensorSource } from '@vastmax/linalg-core/state';
import { createCsrRows, isSparseDataError, type CsrRows } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import { loadNetwork } from '../network/create-network.ts';
import { isObject } from '../saved-fields.ts';
import { readVocabulary } from '../text/text-reading.ts';
import { recommenderNames, type RecommenderName, type RecommenderSettings } from './recommender-models.ts';
import { Recommender, type RecommenderParts } from './recommender.ts';

/** The text of a checkpoint with the users: a JSON array of their names. */
const usersText = 'users.json';
/** Items that a checkpoint may ask to be read: an example takes memory for each. */
const maxContext = 4096;

/** The recommender that a checkpoint's configuration is of; undefined where it is of another model. */
export function recommenderNameOf({ exampleSettings }: JsonObject): RecommenderName | undefined {
  return isObject(exampleSettings) ? recommenderNames.find((name) => name === exampleSettings['model']) : undefined;
}

/** What a checkpoint keeps of a recommender beside the trainer's snapshot, and its items as `vocabulary.json`. */
export function recommenderContent({ settings, items, users, histories, heldOut }: RecommenderParts): {
  readonly configuration: JsonObject;
  readonly modules: Readonly<Record<string, ModuleState>>;
  readonly texts: Readonly<Record<string, string>>;
} {
  return {
    configuration: { exampleSettings: { ...settings } },
    modules: { histories: rowsState(histories), heldOut: rowsState(heldOut) },
    texts: { [usersText]: JSON.stringify(users), 'vocabulary.json': JSON.stringify(items) },
  };
}

/** Where a recommender is read from: an opened checkpoint has this shape. */
export type SavedRecommender = Pick<Checkpoint, 'configuration' | 'location' | 'module' | 'moduleNames' | 'text'>;

/**
 * All of a recommender but its network. O(users + items + interactions).
 * @throws ModelError or StateError `state-mismatch`, CheckpointError `bad-json` for what is damaged in a way that
 * checksums do not detect.
 */
export async function readRecommenderParts(saved: SavedRecommender): Promise<RecommenderParts> {
  const settings = settingsFrom(saved.configuration);
  const items = readVocabulary(saved);
  const [histories, heldOut] = [
    await rowsFrom(saved, 'histories', items.size),
    await rowsFrom(saved, 'heldOut', items.size),
  ];
  return { settings, items, users: readUsers(saved, histories.rows), histories, heldOut };
}

/** A recommender of a checkpoint, with its weights. Throws as readRecommenderParts and loadNetwork. */
export async function loadRecommender(backend: Backend, saved: SavedRecommender): Promise<Recommender> {
  const parts = await readRecommenderParts(saved);
  const network = await loadNetwork<'bag' | 'recurrent' | 'transformer' | 'fold-in'>(backend, saved);
  try {
    const { inputs } = network.sizes;
    const { classes } = network.output;
    if (classes !== parts.items.size || inputs !== parts.items.size)
      throw new ModelError(
        'state-mismatch',
        `${saved.location}: the network has ${inputs} inputs and ${classes} classes, the vocabulary ${parts.items.size} items`,
      );
    return new Recommender(network, parts);
  } catch (error) {
    network[Symbol.dispose]();
    throw error;
  }
}

function settingsFrom({ exampleSettings }: JsonObject): RecommenderSettings {
  const { model, window, steps, context } = isObject(exampleSettings) ? exampleSettings : {};
  const isSize = (value: unknown): value is number | undefined =>
    value === undefined ||
    (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= maxContext);
  const name = recommenderNames.find((each) => each === model);
  if (name === undefined || !isSize(window) || !isSize(steps) || !isSize(context))
    throw new ModelError(
      'state-mismatch',
      `this checkpoint's model is ${shown(model)} with window ${shown(window)}, steps ${shown(steps)} and context ${shown(context)}; this version knows the recommenders ${recommenderNames.join(', ')} with windows, steps and contexts from 1 to ${maxContext}`,
    );
  return {
    model: name,
    ...(window === undefined ? {} : { window }),
    ...(steps === undefined ? {} : { steps }),
    ...(context === undefined ? {} : { context }),
  };
}

function readUsers(saved: SavedRecommender, rows: number): readonly string[] {
  const content = saved.text(usersText);
  const refuse = (cause?: unknown): never => {
    throw new CheckpointError(
      'bad-json',
      `${saved.location}: ${usersText} is no list of the names of ${rows} users; was it written by vastmax train?`,
      { cause },
    );
  };
  const users = parseJson(content, { depth: 1, values: rows + 1 }, (_, cause) => refuse(cause));
  if (!Array.isArray(users) || users.length !== rows || new Set(users).size !== rows) return refuse();
  return users.every((user) => typeof user === 'string') ? (users as string[]) : refuse();
}

function rowsState({ rows, columns, offsets, indices, values }: CsrRows): ModuleState {
  const entries = offsets[rows]!;
  return {
    configuration: { rows, columns, entries },
    tensors: [
      tensorOf('offsets', 'i32', offsets, rows + 1),
      ...(entries === 0 ? [] : [tensorOf('items', 'i32', indices, entries)]),
      ...(entries === 0 || values === undefined
        ? []
        : [tensorOf('weights', 'f64', Float64Array.from(values), entries)]),
    ],
  };
}

function tensorOf(
  name: string,
  precision: 'i32' | 'f64',
  values: Int32Array | Float64Array,
  rows: number,
): TensorSource {
  return {
    name,
    precision,
    rows,
    columns: 1,
    read: (first, count) => Promise.resolve(values.subarray(first, first + count)),
  };
}

async function rowsFrom(saved: SavedRecommender, name: string, items: number): Promise<CsrRows> {
  const state = saved.module(name);
  const { rows, entries } = state.configuration;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
  if (!isCount(rows) || !isCount(entries))
    throw new ModelError(
      'state-mismatch',
      `${saved.location}: ${name} are of ${shown(rows)} users and ${shown(entries)} entries; whole numbers are needed`,
    );
  const offsets = await wholeTensor(state, 'offsets', rows + 1);
  const indices = entries === 0 ? new Int32Array(0) : await wholeTensor(state, 'items', entries);
  const isWeighted = state.tensors.some((tensor) => tensor.name === 'weights');
  const values = isWeighted ? await wholeTensor(state, 'weights', entries) : undefined;
  try {
    return createCsrRows(
      rows,
      items,
      Int32Array.from(offsets),
      Int32Array.from(indices),
      values === undefined ? undefined : Float64Array.from(values),
    );
  } catch (error) {
    if (!isSparseDataError(error)) throw error;
    throw new ModelError('state-mismatch', `${saved.location}: ${name}: ${error.message}`);
  }
}

async function wholeTensor(state: ModuleState, name: string, rows: number): ReturnType<TensorSource['read']> {
  return (await findTensor(state, name, rows, 1).read(0, rows)).slice(0, rows);
}
