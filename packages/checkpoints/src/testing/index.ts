/** For the tests of this package and of lm-models. Not published. */
export { failureOf } from './failure-of.ts';
export { changeManifest, sealed } from './forged-manifest.ts';
export { readEverything } from './read-everything.ts';
export { arrays, bytesOf, computedTensor, contentOf, moduleContent, tensorOf } from './tensors.ts';
