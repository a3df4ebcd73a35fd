// Entry point @vastmax/lm-models/node: what needs Node. The main entry runs anywhere.
export { classVectorTensor } from './interchange/class-vectors.ts';
export { loadInitialVectors, type InitialVectors, type InitialVectorsOptions } from './interchange/initial-vectors.ts';
export { detectWord2vecFormat } from './interchange/word2vec-format.ts';
export { readWord2vecBinary } from './interchange/read-word2vec-binary.ts';
export { readWord2vecText, type ReadWord2vecOptions, type WordVector } from './interchange/read-word2vec-text.ts';
export { writeWord2vec, type Word2vecFormat, type Word2vecOptions } from './interchange/write-word2vec.ts';
