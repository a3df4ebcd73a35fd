/** A recommender: a network over a catalogue of items, the names of items and users, and what each user is known to have. */
import { CsrBuffer, type CsrRows, type SparseBatch, type Vocabulary } from '@vastmax/sparse-data';
import { ModelError } from '../model-error.ts';
import type { BagNetwork, FoldInNetwork, RecurrentNetwork, TransformerNetwork } from '../network/network-options.ts';
import type { EvaluatedNetwork, Network } from '../network/network.ts';
import { topClasses } from '../prediction/top-classes.ts';
import {
  recommenderOf,
  type RecommenderNetwork,
  type RecommenderSettings,
  type ServedRecommender,
} from './recommender-models.ts';

/** What a recommender knows beside its network. */
export interface RecommenderParts {
  readonly settings: RecommenderSettings;
  /** The items, most frequent first: the classes of the network. */
  readonly items: Vocabulary;
  /** The name of each user; all distinct. */
  readonly users: readonly string[];
  /** Users×items: what each had in training; sequences in their order, or sets with weights. */
  readonly histories: CsrRows;
  /** Users×items: what was held out of training for an evaluation. */
  readonly heldOut: CsrRows;
}

/** An item that is recommended. */
export interface Recommendation {
  readonly item: string;
  /** Orders the items of one user; no probability. */
  readonly score: number;
}

/** How many items are recommended. */
export interface RecommendOptions {
  /** How many items for each, at most. */
  readonly k: number;
  readonly signal?: { throwIfAborted(): void };
}

/** A recommender disposes its network. */
export class Recommender implements Disposable {
  readonly network: RecommenderNetwork;
  readonly entry: ServedRecommender;
  readonly settings: RecommenderSettings;
  readonly items: Vocabulary;
  readonly users: readonly string[];
  readonly histories: CsrRows;
  readonly heldOut: CsrRows;
  #rowOf: ReadonlyMap<string, number> | undefined;

  /**
   * @param network of the body that the model has; its classes, and its inputs, are the items.
   * @throws ModelError `bad-option` for an unknown model, `shape` for rows that do not fit users and items.
   */
  constructor(
    network: RecommenderNetwork | BagNetwork | RecurrentNetwork | TransformerNetwork | FoldInNetwork,
    { settings, items, users, histories, heldOut }: RecommenderParts,
  ) {
    for (const [name, { rows, columns }] of Object.entries({ histories, heldOut })) {
      if (rows === users.length && columns === items.size) continue;
      throw new ModelError(
        'shape',
        `recommender: ${name} are of ${rows} users and ${columns} items, the names of ${users.length} and ${items.size}`,
      );
    }
    this.network = network as Network<never> as RecommenderNetwork;
    this.entry = recommenderOf(settings.model);
    this.settings = settings;
    this.items = items;
    this.users = users;
    this.histories = histories;
    this.heldOut = heldOut;
  }

  /** The row of a user in `histories`; undefined for one that is not known. O(1), O(users) the first time. */
  rowOf(user: string): number | undefined {
    this.#rowOf ??= new Map(this.users.map((name, row) => [name, row]));
    return this.#rowOf.get(user);
  }

  /**
   * All that is known of users: their histories, and after them what was held out. O(their interactions).
   * @param rows of users, in this order; all unless given.
   */
  knownHistories(rows: Iterable<number> = this.users.keys()): CsrRows {
    const known = new CsrBuffer(this.items.size, { weighted: 'if-needed' });
    for (const row of rows) {
      for (const { offsets, indices, values } of [this.histories, this.heldOut])
        for (let entry = offsets[row]!; entry < offsets[row + 1]!; entry++)
          known.add(indices[entry]!, values === undefined ? 1 : values[entry]!);
      known.endRow();
    }
    return known.rows();
  }

  /** For evaluateMultiLabel: the inputs of a minibatch are histories. */
  get evaluated(): EvaluatedNetwork<SparseBatch> {
    const { network, entry, settings } = this;
    return {
      output: network.output,
      computeHidden: ({ inputs }) => entry.computeHidden(network, inputs, settings),
      exclusively: (operation, action) => network.exclusively(operation, action),
    };
  }

  /**
   * The best items for each history, those that it has left out, best first. New users need no training: all that a
   * recommender reads of a user is the history. O(histories·D·d), streamed in blocks of items.
   * @param histories of known or new users, at least one item each.
   * @throws ModelError `bad-option` for a k below 1.
   */
  async recommend(histories: CsrRows, { k, signal }: RecommendOptions): Promise<Recommendation[][]> {
    const { network, items } = this;
    const best = await network.exclusively('recommend', () =>
      topClasses(network.output, this.entry.computeHidden(network, histories, this.settings), Math.min(k, items.size), {
        exclude: histories,
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    return Array.from({ length: histories.rows }, (_, row) =>
      Array.from(best.classes.subarray(row * best.k, (row + 1) * best.k), (item, place) => ({
        item,
        score: best.scores[row * best.k + place]!,
      }))
        .filter(({ item }) => item >= 0)
        .map(({ item, score }) => ({ item: items.tokenOf(item), score })),
    );
  }

  [Symbol.dispose](): void {
    this.network[Symbol.dispose]();
  }
}
