/** For the tests of this package and the lab of apps/bench: plans of kernels one by one. Not published. */
export { requestDevice, type FoundDevice } from '../device/find-device.ts';
export { planGemm } from '../gemm/gemm-dispatch.ts';
export { packParameters, parametersDeclaration, resultDeclaration } from '../gemm/product-parameters.ts';
export { tiledProduct, tiledProductEntry, type TiledProduct } from '../gemm/tiled-product.ts';
export type { KernelDispatch } from '../kernel-dispatch.ts';
export { planSolve } from '../solve/solve-dispatch.ts';
export { preparePlan, type Operands, type PreparedPlan } from './run-plan.ts';
