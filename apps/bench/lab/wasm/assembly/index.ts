/** All versions of all kernels of the lab, one module: what is compared shares the compiler's mood. */
export * from './column-sum';
export * from './exponential';
export * from './product';
export * from './product-tiles';
export * from './row-sums';
export * from './transposition';
