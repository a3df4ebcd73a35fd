/**
 * The kernels, one 128-bit vector at a time. They take byte offsets into the memory and trust them: every block starts on 64 bytes, and
 * 64 bytes past the last block belong to the memory, so that a last vector may be loaded whole; it is never stored whole.
 * No managed objects, no globals that change: a kernel's scratch is an argument.
 */
export { gemm } from './gemm';
export { addDiagonal, affine, axpy, copyColumns, fill, mirrorAdd } from './dense';
export { binary } from './binary';
export { unary } from './unary';
export { reduceColumns, reduceRows, rowDot } from './reduce';
export { gatherRows, scatterAddRows, scatterRows } from './rows';
export { solve } from './solve';
