// Entry point @vastmax/lm-models/node: what needs Node. The main entry runs anywhere.
export { classVectorTensor } from './interchange/class-vectors.ts';
export { loadInitialVectors } from './interchange/initial-vectors.ts';
export type { InitialVectors, InitialVectorsOptions } from './interchange/initial-vectors.ts';
export { readWord2vecBinary } from './interchange/read-word2vec-binary.ts';
export { readWord2vecText } from './interchange/read-word2vec-text.ts';
export type { ReadWord2vecOptions, WordVector } from './interchange/read-word2vec-text.ts';
export { writeWord2vec } from './interchange/write-word2vec.ts';
export type { Word2vecFormat, Word2vecOptions } from './interchange/write-word2vec.ts';
