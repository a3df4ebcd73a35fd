/**
 * The models that a bag of inputs is, by the minibatches that go with it:
 *
 * | model | minibatches | what comes out |
 * |---|---|---|
 * | classifier | SparseBatches of features and labels | labels of a document |
 * | autoencoder | SetBatches | a set completed from a part of it |
 * | cbow, skip-gram | WindowBatches, `centre` and `context` | word vectors |
 * | next-item | WindowBatches of sessions, `after: 0`, `centre` | the item after the last few |
 */
import type { BagBodyOptions } from './bag-body.ts';

export const bagModelNames = ['classifier', 'autoencoder', 'cbow', 'skip-gram', 'next-item'] as const;
export type BagModelName = (typeof bagModelNames)[number];

type BagShape = Required<
  Pick<BagBodyOptions, 'pooling' | 'activation' | 'hidden' | 'embeddingScale' | 'inputDropout' | 'dropout'>
>;

// Scales: a bag of unit length has entries of that deviation. Measured on Bibtex and Delicious (classifier) and Moby
// (autoencoder), with Adam on the body at rates of 0.003 to 0.01.
const shapes: Readonly<Record<BagModelName, BagShape>> = {
  classifier: { pooling: 'unit', activation: 'relu', hidden: [], embeddingScale: 0.05, inputDropout: 0, dropout: 0.2 },
  autoencoder: { pooling: 'unit', activation: 'tanh', hidden: [], embeddingScale: 1, inputDropout: 0, dropout: 0 },
  cbow: { pooling: 'mean', activation: 'identity', hidden: [], embeddingScale: 0.1, inputDropout: 0, dropout: 0 },
  'skip-gram': {
    pooling: 'mean',
    activation: 'identity',
    hidden: [],
    embeddingScale: 0.1,
    inputDropout: 0,
    dropout: 0,
  },
  'next-item': {
    pooling: 'mean',
    activation: 'identity',
    hidden: [],
    embeddingScale: 0.1,
    inputDropout: 0,
    dropout: 0,
  },
};

/** What a bag body of that name starts from; each can be overridden. @throws RangeError for an unknown name. */
export function bagModelShape(name: string): BagShape {
  const shape = Object.hasOwn(shapes, name) ? shapes[name as BagModelName] : undefined;
  if (shape === undefined)
    throw new RangeError(`no bag model is called '${name}'; there are ${bagModelNames.join(', ')}`);
  return shape;
}
