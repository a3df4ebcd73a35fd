import { gelu, relu, sigmoid, tanh, type Variable } from '@vastmax/autodiff';

export const activationNames = ['tanh', 'relu', 'gelu', 'sigmoid'] as const;
export type ActivationName = (typeof activationNames)[number];

export const activations: Readonly<Record<ActivationName, (x: Variable) => Variable>> = { tanh, relu, gelu, sigmoid };
