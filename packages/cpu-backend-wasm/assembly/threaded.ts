/** The kernels over a shared memory, and what a worker runs. */
export * from './index';
export { work } from './run';
