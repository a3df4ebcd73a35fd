/**
 * The kernels, one 128-bit vector at a time. They take byte offsets into the memory and trust them: every block starts
 * on 64 bytes, and 64 bytes past the last block belong to the memory, so that a last vector may be loaded whole; it is
 * never stored whole. No managed objects, no globals that change: a kernel's scratch is an argument, and what all
 * threads see is in job.ts.
 */
export { gemm } from './gemm';
export { exponentiateRows } from './exponentiate-rows';
export { addDiagonal, copyColumns, fill } from './dense';
export { affine, axpy, binary, mirrorAdd, unary } from './elementwise';
export { gatheredRowDot } from './gathered-row-dot';
export { leastSquaresRows } from './least-squares-rows';
export { fillNormalRows } from './normal-rows';
export { quantizedProducts, quantizeRows } from './quantized-rows';
export { reduceColumns, reduceRows, rowDot } from './reduce';
export { combineRanges, exponentiateRanges, updateRanges } from './row-ranges';
export { addRows, gatherRows, scatterRows } from './rows';
export { runHostWork } from './run';
export { solve } from './solve';
export { updateRows } from './update-rows';
