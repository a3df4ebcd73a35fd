/** All versions of all kernels of the lab in one module, so that all are compiled alike. */
export * from './column-sum';
export * from './exponential';
export * from './product';
export * from './product-tiles';
export * from './row-sums';
export * from './transposition';
