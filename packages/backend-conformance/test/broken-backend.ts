import { createPlainBackend, type Backend } from '@vastmax/linalg-core';

/** A plain backend whose fill adds one: `fill/every-element` fails and little else does. */
export function createBrokenBackend(): Backend {
  const backend = createPlainBackend();
  const fill = backend.fill.bind(backend);
  return Object.defineProperty(backend, 'fill', {
    value: (value: number, out: Parameters<Backend['fill']>[1]) => fill(value + 1, out),
  });
}

/** A plain backend without its fused kernels. */
export function createBareBackend(): Backend {
  return Object.defineProperty(createPlainBackend(), 'symmetricRank2Update', { value: undefined });
}
